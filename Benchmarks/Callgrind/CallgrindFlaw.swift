/// Why a file is not a usable callgrind profile.
public enum CallgrindFlaw: Error, Hashable, CustomStringConvertible {
    case unreadable(String)
    /// A compressed name used before its definition.
    case unknownName(String)
    /// Truncated: no totals line.
    case incomplete

    public var description: String {
        switch self {
        case .unreadable(let line): "callgrind's profile has a malformed line: \(line)"
        case .unknownName(let name): "callgrind's profile refers to \(name) before its definition"
        case .incomplete: "callgrind's profile is truncated: it has no totals"
        }
    }
}
