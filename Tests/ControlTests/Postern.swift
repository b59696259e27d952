import Foundation
import PosternTesting
import Testing

/// The binary, as a user runs it.
enum Postern {
    struct Result {
        let status: Int32
        let output: String
        let complaints: String
    }

    /// POSTERN_BINARY, or the one that was built beside these tests.
    static var path: String {
        if let path = ProcessInfo.processInfo.environment["POSTERN_BINARY"] { return path }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("postern").path
    }

    /// Runs it to its end.
    static func run(_ arguments: [String]) throws -> Result {
        let folder = try TemporaryFolder()
        let process = try started(arguments, output: folder.file("out"), complaints: folder.file("err"))
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try String(contentsOfFile: folder.file("out"), encoding: .utf8),
            complaints: try String(contentsOfFile: folder.file("err"), encoding: .utf8))
    }

    static func started(_ arguments: [String], output: String, complaints: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        for file in [output, complaints] { try Data().write(to: URL(fileURLWithPath: file)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: complaints))
        try process.run()
        return process
    }
}

/// A `postern dev` that has announced its calls.
final class Demo {
    private let files: TemporaryFolder
    private let process: Process

    init(_ arguments: [String]) throws {
        let files = try TemporaryFolder()
        self.files = files
        process = try Postern.started(["dev"] + arguments, output: files.file("out"), complaints: files.file("err"))
        #expect(
            try eventually { try String(contentsOfFile: files.file("out"), encoding: .utf8).contains("Ctrl-C stops") })
    }

    deinit { if process.isRunning { process.terminate() } }

    func output() throws -> String { try String(contentsOfFile: files.file("out"), encoding: .utf8) }

    /// The folder that it made.
    func folder() throws -> String {
        let text = try output()
        let match = try #require(text.firstMatch(of: /removes (\/[^ \n]*\/postern-dev\.\w+)\./))
        return String(match.1)
    }

    func end(_ number: Int32) -> Int32 {
        kill(process.processIdentifier, number)
        return awaitEnd()
    }

    func awaitEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}
