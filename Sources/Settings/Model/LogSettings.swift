/// The proxy's own log, on standard error.
public struct LogSettings: Hashable, Sendable {
    public enum Level: String, Hashable, Sendable, CaseIterable {
        case debug, info, notice, warning, error
    }

    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// Text on a terminal, else JSON lines.
        case auto
        case json, text
    }

    public var level = Level.info
    public var format = Format.auto

    public init() {}

    public init(level: Level, format: Format) {
        self.level = level
        self.format = format
    }
}

/// The destination of the access log.
public enum AccessLogChoice: Hashable, Sendable {
    case standardOutput
    case standardError
    case off
    /// Appended to; already joined to the settings file's folder.
    case file(String)

    /// The destinations with a keyword in the settings file; any other text is a path.
    static let named: [AccessLogChoice] = [.standardOutput, .standardError, .off]

    /// Its keyword in the settings file; nil for a path.
    var word: String? {
        switch self {
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .off: "off"
        case .file: nil
        }
    }
}
