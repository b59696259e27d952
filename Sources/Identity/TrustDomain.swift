/// The name of a trust domain (SPIFFE-ID 2.1): 1 to 255 bytes of `[a-z0-9.-_]`.
///
/// It looks like a DNS name but is not one: the rules for labels, outer dots and hyphens do not apply.
public struct TrustDomain: Hashable, Sendable {
    /// The bare name, without a scheme: `example.org`.
    public let name: String

    /// Parses a bare name; `spiffe://example.org` is refused.
    public init(parsing text: String) throws(SPIFFEIDFlaw) {
        let utf8 = text.utf8
        let bytes = utf8.span
        guard !SPIFFEIDGrammar.hasScheme(bytes) else { throw .schemeInTrustDomain }
        let end = try SPIFFEIDGrammar.endOfTrustDomain(bytes, from: 0)
        guard end == bytes.count else { throw .trustDomainByte(bytes[end], offset: end) }
        name = text
    }

    /// The name of a trust domain whose grammar was checked by the caller.
    init(checked name: String) {
        self.name = name
    }

    /// The longest name (SPIFFE-ID 2.3).
    public static let maximumBytes = 255
}

extension TrustDomain: CustomStringConvertible {
    public var description: String { name }
}
