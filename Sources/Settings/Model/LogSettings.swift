/// How the proxy speaks of itself, on standard error.
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

/// Where the line of each ended connection goes.
public enum AccessLogChoice: Hashable, Sendable {
    case standardOutput
    case standardError
    case off
    /// Appended to; already joined to the settings file's folder.
    case file(String)

    /// Those that are a word of the settings file; any other text there is a path.
    static let named: [AccessLogChoice] = [.standardOutput, .standardError, .off]

    /// What the settings file says for it; nil for a path.
    var word: String? {
        switch self {
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .off: "off"
        case .file: nil
        }
    }
}
