import Foundation
import Logging
import Synchronization
import Testing

/// A private folder that goes when the value goes.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "postern-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Runs a program of the PATH to its end; `output` is stdout and stderr together.
func run(_ arguments: String...) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// Waits, for ten seconds at most, until something that another thread does has happened.
func eventually(_ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for _ in 0..<5_000 {
        if try condition() { return }
        usleep(2_000)
    }
    Issue.record("it did not happen", sourceLocation: sourceLocation)
}

/// A thread whose end can be waited for.
final class Thread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    static func started(_ body: @escaping @Sendable () -> Void) -> Thread {
        let thread = Thread()
        Foundation.Thread.detachNewThread {
            body()
            thread.done.signal()
        }
        return thread
    }

    func wait() { done.wait() }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// What a logger wrote, one string an event: message and metadata.
final class Messages: Sendable {
    private let list = Mutex<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func append(_ message: String) { list.withLock { $0.append(message) } }
}

func recordingLogger() -> (Logger, Messages) {
    struct Handler: LogHandler {
        let messages: Messages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { messages.append("\(event.message) \(event.metadata ?? [:])") }
    }
    let messages = Messages()
    return (Logger(label: "test") { _ in Handler(messages: messages) }, messages)
}
