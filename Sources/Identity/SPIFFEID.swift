/// A SPIFFE ID (SPIFFE-ID 2): `spiffe://`, a trust domain, and a path that may be empty.
///
/// The strict reading: the scheme and the trust domain are in lower case, so two IDs are equal exactly when
/// their bytes are.
public struct SPIFFEID: Sendable {
    /// The whole ID: `spiffe://example.org/ns/default/sa/a`.
    public let description: String
    public let trustDomain: TrustDomain

    public init(parsing text: String) throws(SPIFFEIDFlaw) {
        let utf8 = text.utf8
        try self.init(parsing: utf8.span)
    }

    /// Parses untrusted bytes from a peer in one pass.
    public init(parsing bytes: Span<UInt8>) throws(SPIFFEIDFlaw) {
        let end = try SPIFFEIDGrammar.endOfTrustDomain(ofID: bytes)
        description = String(ascii: bytes)
        trustDomain = TrustDomain(checked: String(ascii: bytes.extracting(Self.schemeBytes..<end)))
    }

    /// The path, empty or with its leading slash: `/ns/default/sa/a`.
    public var path: String {
        String(Substring(description.utf8.dropFirst(Self.schemeBytes + trustDomain.name.utf8.count)))
    }

    /// Whether the ID names a workload rather than a whole trust domain.
    public var hasPath: Bool {
        description.utf8.count > Self.schemeBytes + trustDomain.name.utf8.count
    }

    /// The longest ID (SPIFFE-ID 2.3).
    public static let maximumBytes = 2048

    private static let schemeBytes = 9
}

extension SPIFFEID: Hashable {
    public static func == (left: SPIFFEID, right: SPIFFEID) -> Bool {
        left.description == right.description
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}

extension SPIFFEID: CustomStringConvertible {}

extension String {
    /// Copies bytes that the grammar has checked to be ASCII.
    fileprivate init(ascii bytes: Span<UInt8>) {
        // Safe: the pointer is read within the closure only, where the span keeps it valid.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
