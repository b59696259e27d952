import Foundation
import PosternTesting
import Testing

@Suite("The benchmark itself")
struct SmokeTests {
    @Test("a short run goes to its end, and leaves table, JSON and chart", .timeLimit(.minutes(1)))
    func run() throws {
        let folder = try TemporaryFolder("bench")
        let bench = Process()
        bench.executableURL = URL(fileURLWithPath: Self.built("postern-bench"))
        // One core for both: the figures mean nothing here, and every machine has a first core.
        bench.arguments = [
            "--postern", Self.postern, "--output", folder.path, "--rounds", "1", "--seconds", "0.05", "--idle", "8",
            "--proxies", "haproxy,postern-epoll", "--only", "echo16,connect,idle,start",
            "--proxy-core", "0", "--load-core", "0",
        ]
        let output = Pipe()
        bench.standardOutput = output
        // Progress and complaints stand before the table then.
        bench.standardError = output
        try bench.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        bench.waitUntilExit()
        #expect(bench.terminationStatus == 0, "\(text)")
        #expect(
            text.contains("| inbound  | new connections, resumed, per CPU-s") && text.contains("goals are met"),
            "\(text)")
        let json = try Data(contentsOf: URL(fileURLWithPath: folder.file("figures.json")))
        let root = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect((root["measures"] as? [Any])?.isEmpty == false)
        #expect(try String(contentsOfFile: folder.file("figures.md"), encoding: .utf8).hasPrefix("| top"))
        #expect(try String(contentsOfFile: folder.file("figures.svg"), encoding: .utf8).hasPrefix("<svg"))
    }

    @Test("an option that names nothing known is refused by name")
    func unknownName() throws {
        let bench = Process()
        bench.executableURL = URL(fileURLWithPath: Self.built("postern-bench"))
        bench.arguments = ["--proxies", "haproxy,traefik"]
        let errors = Pipe()
        bench.standardError = errors
        try bench.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        bench.waitUntilExit()
        #expect(bench.terminationStatus == 64 && text.contains("--proxies: no traefik"), "\(text)")
    }

    private static var postern: String { ProcessInfo.processInfo.environment["POSTERN_BINARY"] ?? built("postern") }

    /// A program that was built beside these tests.
    private static func built(_ name: String) -> String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
    }
}
