/// Why a file is no profile that can be counted.
public enum CallgrindFlaw: Error, Hashable, CustomStringConvertible {
    case unreadable(String)
    /// A number that stands for a name, before the name was given.
    case unknownName(String)
    /// Cut short: no line of totals.
    case incomplete

    public var description: String {
        switch self {
        case .unreadable(let line): "callgrind's profile has a line that is not understood: \(line)"
        case .unknownName(let name): "callgrind's profile names \(name) before saying what it is"
        case .incomplete: "callgrind's profile is cut short: it has no totals"
        }
    }
}
