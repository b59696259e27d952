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
