/// Why a text is not a CIDR block; the description says how to fix it.
public enum CIDRFlaw: Error, Hashable, Sendable {
    case notAnAddress
    case prefixLength(atMost: Int)
    /// Bits are set after the prefix; the suggestion has them cleared.
    case hostBits(suggestion: String)
}

extension CIDRFlaw: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAnAddress:
            "not an IP address block: write it as 10.0.0.0/8, 2001:db8::/32 or a single address"
        case .prefixLength(let limit):
            "the prefix length after the slash must be a number from 0 to \(limit)"
        case .hostBits(let suggestion):
            "the address has bits set after its prefix: did you mean \(suggestion)?"
        }
    }
}
