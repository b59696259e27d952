import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// The real binary, started with settings of a test.
final class ProxyUnderTest {
    let name: String
    let process: ChildProcess
    /// Of the settings file.
    let path: String
    private let loop: EventLoopKind
    private var reloads = 0
    private var addresses: [String: SocketAddress] = [:]
    /// Indices of the access lines already returned.
    private var seenAccessLines: Set<Int> = []

    init(
        _ settings: SettingsFile, loop: EventLoopKind, in folder: TemporaryFolder, number: Int,
        openFileLimit: Int? = nil, environment: [String: String] = [:], options: [String] = []
    ) throws {
        name = "proxy \(number)"
        self.loop = loop
        path = try folder.write(settings.text(loop: loop), to: "postern-\(number).yaml")
        process = try ChildProcess(
            [try PosternBinary.path(), "run", "--config", path] + options, openFileLimit: openFileLimit,
            environment: environment)
    }

    /// The real binary with a whole settings file.
    ///
    /// - Parameter prefix: words that run it elsewhere.
    init(text: String, loop: EventLoopKind, in folder: TemporaryFolder, number: Int, prefix: [String]) throws {
        name = "proxy \(number)"
        self.loop = loop
        path = try folder.write(text, to: "postern-\(number).yaml")
        process = try ChildProcess(prefix + [try PosternBinary.path(), "run", "--config", path])
    }

    /// The real binary with a settings file that another program writes.
    init(path: String, loop: EventLoopKind, number: Int) throws {
        name = "proxy \(number)"
        self.loop = loop
        self.path = path
        process = try ChildProcess([try PosternBinary.path(), "run", "--config", path])
    }

    /// Waits for the log line that says so.
    func awaitReady() throws {
        guard (try? logEvent("ready")) != nil else { throw HarnessFault.notReady(log: process.standardError.text) }
    }

    /// Replaces the settings file, and waits until the settings are applied.
    func reload(_ settings: SettingsFile, in folder: TemporaryFolder) throws {
        try replace(settings.text(loop: loop), in: folder)
        try awaitReload()
    }

    /// Replaces the text of the settings file by rename.
    func replace(_ text: String, in folder: TemporaryFolder) throws {
        let next = try folder.write(text, to: "next.yaml")
        try #require(unsafe rename(next, path) == 0)
    }

    /// Waits for one more reload.
    func awaitReload(within limit: Duration = .seconds(10)) throws {
        reloads += 1
        var seen = 0
        let wanted = reloads
        let found = process.standardError.awaitLine(within: limit) { line -> Bool? in
            if line.contains("\"message\":\"reloaded\"") { seen += 1 }
            return seen >= wanted ? true : nil
        }
        guard found != nil else { throw HarnessFault.noLogEvent("reloaded", log: process.standardError.text) }
    }

    /// The value of a metric of the admin endpoint.
    func metric(_ name: String) throws -> Int? {
        let connection = try TCPConnection.connect(to: adminAddress())
        try connection.send("GET /metrics HTTP/1.0\r\n\r\n".utf8)
        let answer = String(decoding: try connection.receiveToEnd(), as: UTF8.self)
        return Metrics.sum(of: name, in: answer)
    }

    /// The body and the status of an answer of the admin endpoint to curl.
    func ask(_ path: String, options: [String] = []) throws -> String {
        let curl = try ChildProcess(
            ["curl", "-s", "-m", "10", "-w", " %{http_code}"] + options + ["http://\(try adminAddress())\(path)"])
        _ = curl.awaitExit(within: .seconds(15))
        return curl.standardOutput.text
    }

    /// Where a listener accepts connections, as the log says.
    func address(_ listener: String) throws -> SocketAddress {
        if let known = addresses[listener] { return known }
        let event = try logEvent("listening") { $0["listener"] as? String == listener }
        guard let text = event["address"] as? String, let address = SocketAddress(parsing: text) else {
            throw HarnessFault.noAddress(listener: listener, log: process.standardError.text)
        }
        addresses[listener] = address
        return address
    }

    /// Where the admin endpoint answers, as the log says.
    func adminAddress() throws -> SocketAddress {
        let event = try logEvent("admin endpoint is open")
        guard let port = (event["port"] as? Int).flatMap(UInt16.init(exactly:)) else {
            throw HarnessFault.noAddress(listener: "admin", log: process.standardError.text)
        }
        return SocketAddress(port: port)
    }

    /// Waits for a log line with this message.
    @discardableResult
    func logEvent(
        _ message: String, within limit: Duration = .seconds(10), where holds: ([String: Any]) -> Bool = { _ in true }
    ) throws -> [String: Any] {
        let event = process.standardError.awaitLine(within: limit) { line -> [String: Any]? in
            guard let event = Self.parse(line), event["message"] as? String == message, holds(event) else {
                return nil
            }
            return event
        }
        guard let event else { throw HarnessFault.noLogEvent(message, log: process.standardError.text) }
        return event
    }

    /// Waits for a log line that has this in it.
    func awaitLog(containing text: String, within limit: Duration = .seconds(10)) throws {
        let found = process.standardError.awaitLine(within: limit) { $0.contains(text) ? true : nil }
        guard found != nil else { throw HarnessFault.noLogEvent(text, log: process.standardError.text) }
    }

    /// Waits for an access line not returned before.
    @discardableResult
    func accessLine(
        within limit: Duration = .seconds(10), where holds: (AccessLine) -> Bool = { _ in true }
    ) throws -> AccessLine {
        var number = -1
        let line = process.standardOutput.awaitLine(within: limit) { text -> AccessLine? in
            number += 1
            guard !seenAccessLines.contains(number),
                let line = try? JSONDecoder().decode(AccessLine.self, from: Data(text.utf8)), holds(line)
            else { return nil }
            return line
        }
        guard let line else { throw HarnessFault.noAccessLine(log: process.standardOutput.text) }
        seenAccessLines.insert(number)
        return line
    }

    /// Waits for `count` more access lines.
    func accessLines(
        _ count: Int, within limit: Duration = .seconds(10), where holds: (AccessLine) -> Bool = { _ in true }
    ) throws -> [AccessLine] {
        let deadline = Deadline.within(limit)
        return try (0..<count).map { _ in
            try accessLine(within: .milliseconds(max(1, deadline.remainingMilliseconds)), where: holds)
        }
    }

    /// Ends the proxy with SIGTERM and expects exit code 0, unless the test has ended it already.
    func expectCleanExit(_ location: SourceLocation = #_sourceLocation) {
        guard process.isRunning else {
            if case .signal(let number)? = process.awaitExit() {
                Issue.record("\(name) died of signal \(number)", sourceLocation: location)
            }
            return
        }
        process.signal(SIGTERM)
        let exit = process.awaitExit(within: .seconds(10))
        #expect(
            exit == .code(0), "\(name) ended with \(String(describing: exit)):\n\(process.standardError.text)",
            sourceLocation: location)
    }

    var figures: ProcessFigures { ProcessFigures(of: process.identifier) }

    private static func parse(_ line: String) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
    }
}

/// What the harness timed out waiting for.
enum HarnessFault: Error, CustomStringConvertible {
    case noBinary(String)
    case notReady(log: String)
    case noAddress(listener: String, log: String)
    case noLogEvent(String, log: String)
    case noAccessLine(log: String)
    case peerNotReady(String, log: String)

    var description: String {
        switch self {
        case .noBinary(let path):
            "there is no postern at \(path): swift build -c release --product postern, or set POSTERN_BINARY"
        case .notReady(let log): "the proxy did not become ready; it says:\n\(log)"
        case .noAddress(let listener, let log): "no address of the listener \(listener) in:\n\(log)"
        case .noLogEvent(let message, let log): "no \"\(message)\" in the log:\n\(log)"
        case .noAccessLine(let log): "no such access line in:\n\(log)"
        case .peerNotReady(let peer, let log): "\(peer) did not become ready; it says:\n\(log)"
        }
    }
}

/// Where the binary is that all tests run.
enum PosternBinary {
    static func path(_ file: String = #filePath) throws -> String {
        let root = file.components(separatedBy: "/Tests/EndToEnd/").dropLast().joined(separator: "/Tests/EndToEnd/")
        let path = ProcessInfo.processInfo.environment["POSTERN_BINARY"] ?? "\(root)/.build/release/postern"
        guard FileManager.default.isExecutableFile(atPath: path) else { throw HarnessFault.noBinary(path) }
        return path
    }

    /// Runs a command of the binary to its end.
    static func run(
        _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
        within limit: Duration = .seconds(10)
    ) throws -> (exit: ProcessExit?, output: String, errors: String) {
        let process = try ChildProcess([path()] + arguments, in: folder.path, environment: environment)
        process.closeInput()
        let exit = process.awaitExit(within: limit)
        return (exit, process.standardOutput.text, process.standardError.text)
    }
}
