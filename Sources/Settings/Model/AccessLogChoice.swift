/// Where the line of each ended connection goes.
public enum AccessLogChoice: Hashable, Sendable {
    case standardOutput
    case standardError
    case off
    /// Appended to; already joined to the settings file's folder.
    case file(Located<String>)
}
