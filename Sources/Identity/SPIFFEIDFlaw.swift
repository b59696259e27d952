/// Why a text is not a SPIFFE ID or trust domain (SPIFFE-ID 2.1-2.3); the description says how to fix it.
public enum SPIFFEIDFlaw: Error, Hashable, Sendable {
    /// Longer than the 2048 bytes of SPIFFE-ID 2.3.
    case tooLong(bytes: Int)
    /// Does not begin with `spiffe://`, in lower case.
    case noScheme
    /// Nothing between `spiffe://` and the path.
    case noTrustDomain
    /// Longer than the 255 bytes of SPIFFE-ID 2.3.
    case trustDomainTooLong(bytes: Int)
    /// A whole SPIFFE ID where a trust domain is expected.
    case schemeInTrustDomain
    /// A byte outside `[a-z0-9.-_]`; the offset counts from the start of the text.
    case trustDomainByte(UInt8, offset: Int)
    /// A byte outside `[a-zA-Z0-9.-_]`; the offset counts from the start of the text.
    case pathByte(UInt8, offset: Int)
    /// Two slashes in a row.
    case emptySegment(offset: Int)
    /// A segment that is `.` or `..`.
    case dotSegment(offset: Int)
    /// A slash at the end.
    case trailingSlash
}

extension SPIFFEIDFlaw: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong(let bytes):
            "\(bytes) bytes long: a SPIFFE ID has at most \(SPIFFEID.maximumBytes)"
        case .noScheme:
            "a SPIFFE ID begins with spiffe:// (in lower case), then names a trust domain"
        case .noTrustDomain:
            "no trust domain: write spiffe://TRUST-DOMAIN/PATH"
        case .trustDomainTooLong(let bytes):
            "the trust domain is \(bytes) bytes long: it may have at most \(TrustDomain.maximumBytes)"
        case .schemeInTrustDomain:
            "a trust domain is a bare name such as example.org: leave out spiffe://"
        case .trustDomainByte(let byte, let offset):
            "\(Self.name(byte)) at byte \(offset + 1): \(Self.remedy(inTrustDomain: byte))"
        case .pathByte(let byte, let offset):
            "\(Self.name(byte)) at byte \(offset + 1): \(Self.remedy(inPath: byte))"
        case .emptySegment(let offset):
            "empty path segment at byte \(offset + 1): write one slash only"
        case .dotSegment(let offset):
            "the path segment at byte \(offset + 1) is . or ..: relative paths are not allowed"
        case .trailingSlash:
            "the path ends with a slash: leave it out"
        }
    }

    private static func name(_ byte: UInt8) -> String {
        switch byte {
        case 0x21...0x7E: "'\(Unicode.Scalar(byte))'"
        case 0x20: "a space"
        default: "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }

    private static func remedy(inTrustDomain byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): "trust domains are written in lower case"
        case UInt8(ascii: ":"): "a trust domain has no port and no user information"
        case UInt8(ascii: "@"): "a trust domain has no user information"
        case UInt8(ascii: "%"): "percent-encoding is not allowed"
        case UInt8(ascii: "?"), UInt8(ascii: "#"): "a SPIFFE ID has no query and no fragment"
        case UInt8(ascii: "/"): "a trust domain is a bare name, without a path"
        default: "only a-z, 0-9, '.', '-' and '_' are allowed in a trust domain"
        }
    }

    private static func remedy(inPath byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "%"): "percent-encoding is not allowed"
        case UInt8(ascii: "?"), UInt8(ascii: "#"): "a SPIFFE ID has no query and no fragment"
        default: "only a-z, A-Z, 0-9, '.', '-' and '_' are allowed in a path segment"
        }
    }
}
