import Foundation
import Loopback
import PosternTesting
import Testing

/// What `postern load --json` prints, as a program would read it.
struct LoadLine: Decodable, Sendable {
    struct Negotiated: Decodable, Sendable {
        let version: String
        let cipher: String
        let alpn: String?
        let peer: String
        let handshakes: Int
        let resumed: Int
    }

    struct Errors: Decodable, Sendable {
        struct Entry: Decodable, Sendable {
            let kind: String
            let count: Int
            let detail: String
        }

        let total: Int
        let kinds: [Entry]
    }

    struct Bytes: Decodable, Sendable {
        let up: Int
        let down: Int
    }

    let target: String
    let kind: String
    let direction: String?
    let eventLoop: String
    let tls: Negotiated?
    let connections: Int
    let connected: Int
    let warmupSeconds: Double
    let durationSeconds: Double
    let messageBytes: Int
    let requests: Int
    let unsent: Int
    let unanswered: Int
    let errors: Errors
    let bytes: Bytes
    let rateRequested: Int?
    let rateAchieved: Double
    let bitsPerSecond: Bytes
    let latencyMicroseconds: [String: Double]?
    let connectMicroseconds: [String: Double]?
    let handshakeMicroseconds: [String: Double]?
    let ownCpuSeconds: [String: Double]

    func count(_ kind: String) -> Int { errors.kinds.first { $0.kind == kind }?.count ?? 0 }
}

/// `postern load`, as a user runs it, for a short while.
final class LoadRun {
    let process: ChildProcess

    init(_ kind: String, to target: String, _ options: [String], on stage: Stage) throws {
        let words = [kind, target, "--event-loop", stage.loop.rawValue, "--json"]
        let brief = options.contains("--duration") ? [] : ["--duration", "300ms", "--warmup", "50ms"]
        process = try ChildProcess([PosternBinary.path(), "load"] + words + brief + options, in: stage.folder.path)
    }

    /// Waits for the end, and reads the one line that came out.
    func line(within limit: Duration = .seconds(20)) throws -> (exit: ProcessExit?, line: LoadLine) {
        let exit = process.awaitExit(within: limit)
        let output = process.standardOutput.text
        let lines = output.split(separator: "\n")
        try #require(lines.count == 1, "\(output)\(process.standardError.text)")
        return (exit, try JSONDecoder().decode(LoadLine.self, from: Data(lines[0].utf8)))
    }

    /// The options of an identity, and of the server to expect.
    static func identity(
        _ role: TestIdentities.Role = .client, expecting: String = "spiffe://example.org/ns/default/sa/server"
    ) -> [String] {
        [
            "--certificate", "\(role.rawValue).pem", "--private-key", "\(role.rawValue).key", "--trust-bundle",
            "example.org=bundle.pem", "--identity", expecting,
        ]
    }
}

extension Stage {
    /// Runs `postern load` to its end.
    func load(
        _ kind: String, _ target: SocketAddress, _ options: [String]
    ) throws -> (exit: ProcessExit?, line: LoadLine) {
        try LoadRun(kind, to: "\(target)", options, on: self).line()
    }

    /// A proxy with an inbound listener that is an application itself.
    func builtin(_ name: String) throws -> ProxyUnderTest {
        try proxy(
            SettingsFile(listeners: [.inbound("in", upstream: "{builtin: \(name)}", policy: "callers")]))
    }
}
