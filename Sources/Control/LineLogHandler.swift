public import Glibc
public import Logging
import System
import Telemetry

/// Writes log events as lines to a descriptor: JSON for machines, text for a terminal.
public struct LineLogHandler: LogHandler {
    public enum Format: Sendable { case json, text }

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: Format
    private let output: LineLogOutput

    public init(label: String, level: Logger.Level, format: Format, descriptor: Int32 = STDERR_FILENO) {
        self.label = label
        logLevel = level
        self.format = format
        output = LineLogOutput(descriptor)
    }

    /// Text if the descriptor is a terminal, else JSON.
    public static func naturalFormat(of descriptor: Int32 = STDERR_FILENO) -> Format {
        isatty(descriptor) == 1 ? .text : .json
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        let pairs = all.sorted { $0.key < $1.key }
        output.write(line(event.level, event.message.description, pairs)) { lost in
            line(.warning, "log: the reader stalled; \(lost) lines are lost", [])
        }
    }

    private typealias Pairs = [(key: String, value: Logger.Metadata.Value)]

    private func line(_ level: Logger.Level, _ message: String, _ pairs: Pairs) -> [UInt8] {
        switch format {
        case .json: json(level, message, pairs)
        case .text: text(level, message, pairs)
        }
    }

    private func json(_ level: Logger.Level, _ message: String, _ pairs: Pairs) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("time", CivilTime.rfc3339(unixNanoseconds: WallClock.nanoseconds()))
        json.field("level", level.rawValue)
        json.field("logger", label)
        json.field("message", message, limit: Self.textLimitBytes)
        for (key, value) in pairs {
            if let number = Self.number(value) {
                json.field(key, number)
            } else {
                json.field(key, value.description, limit: Self.textLimitBytes)
            }
        }
        json.endObject()
        json.newline()
        return json.bytes
    }

    /// Nil unless the metadata value is an integer.
    private static func number(_ value: Logger.Metadata.Value) -> Int64? {
        guard case .stringConvertible(let value) = value, let number = value as? any FixedWidthInteger else {
            return nil
        }
        return Int64(exactly: number)
    }

    private func text(_ level: Logger.Level, _ message: String, _ pairs: Pairs) -> [UInt8] {
        let tail = pairs.map { " \($0.key)=\(Self.quoted(Self.printable($0.value.description)))" }.joined()
        let time = CivilTime.rfc3339(unixNanoseconds: WallClock.nanoseconds())
        return Array("\(time) \(level.rawValue): \(Self.printable(message))\(tail)\n".utf8)
    }

    /// Quotes values with spaces, so that their end is unambiguous.
    private static func quoted(_ text: String) -> String { text.contains(" ") ? "\"\(text)\"" : text }

    /// Replaces control characters, which could drive the terminal or forge a line, by `?`.
    private static func printable(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(textLimitBytes) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            output.append(isControl ? "?" : scalar)
        }
        return String(output)
    }

    private static let textLimitBytes = 4_096
}
