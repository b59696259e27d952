/// Why a text is not a port range; the description says how to fix it.
public enum PortRangeFlaw: Error, Hashable, Sendable {
    case notAPort
    case reversed(suggestion: String)
}

extension PortRangeFlaw: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAPort: "not a port or range of ports: write 443 or 8000-8999, from 1 to 65535"
        case .reversed(let suggestion): "the range ends before it begins: did you mean \(suggestion)?"
        }
    }
}
