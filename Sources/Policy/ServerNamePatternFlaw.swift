/// Why a text is not a server name pattern; the description says how to fix it.
public enum ServerNamePatternFlaw: Error, Hashable, Sendable {
    case tooLong(bytes: Int)
    /// `*` alone.
    case anyName
    case trailingDot(suggestion: String)
    /// A star anywhere but alone in the first label.
    case partialLabel(String)
    case label(String)
    /// A last label of digits alone.
    case numericEnd(String)
}

extension ServerNamePatternFlaw: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong(let bytes):
            "\(bytes) bytes long: a server name has at most 253"
        case .anyName:
            "* alone would match every name: leave the condition out instead"
        case .trailingDot(let suggestion):
            "server names are written without a trailing dot: write \(suggestion)"
        case .partialLabel(let label):
            "'\(label)': a star may only be the whole first label, as in *.example.org"
        case .label(""):
            "empty label: a server name is labels joined by single dots"
        case .label(let label):
            "'\(label)' is no label: only 1 to 63 of a-z, 0-9, '-' and '_' are allowed"
        case .numericEnd(let label):
            "it ends in the number \(label): no server name does, and clients that ask for an IP address are refused"
        }
    }
}
