import Foundation
import Logging
import Synchronization

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
