/// One thing wrong with a settings file; reads as `file:line:column: error: message`.
public struct SettingsFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        case error, warning
    }

    public var position: Position
    public var severity: Severity
    public var message: String

    public init(_ severity: Severity, at position: Position, _ message: String) {
        self.position = position
        self.severity = severity
        self.message = message
    }

    public var description: String { "\(position): \(severity.rawValue): \(message)" }
}
