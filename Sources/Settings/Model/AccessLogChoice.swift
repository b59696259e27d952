/// Where the line of each ended connection goes.
public enum AccessLogChoice: Hashable, Sendable {
    case standardOutput
    case standardError
    case off
    /// Appended to; already joined to the settings file's folder.
    case file(String)

    /// The choices that are words, in the order in which messages name them.
    static let words: [AccessLogChoice] = [.standardOutput, .standardError, .off]

    /// What the file says for it; nil for a file's path.
    var word: String? {
        switch self {
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .off: "off"
        case .file: nil
        }
    }
}
