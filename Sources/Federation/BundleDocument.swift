import FoundationEssentials

/// A SPIFFE bundle (SPIFFE Trust Domain and Bundle 4): a JWKS document with the X.509 authorities of a trust domain.
///
/// Keys for uses other than X.509 are validated as far as the specification requires, and then ignored.
public struct BundleDocument: Hashable, Sendable {
    /// DER; empty if the trust domain has withdrawn all of them.
    public let authorities: [[UInt8]]
    /// Grows with each change; absent if the publisher does not say.
    public let sequence: UInt64?
    /// The polling interval that the publisher suggests, in seconds.
    public let refreshHintSeconds: Int64?

    public init(parsing text: [UInt8]) throws(BundleDocumentFlaw) {
        guard text.count <= Self.bytesAtMost else { throw .tooLarge }
        guard let content = try? JSONDecoder().decode(Content.self, from: Data(text)) else { throw .notADocument }
        // A decoder takes one of the values, and another program might take the other.
        if let name = RepeatedName.first(in: text) { throw .repeatedName(name) }
        guard let keys = content.keys else { throw .noKeys }
        guard keys.count <= Self.keysAtMost else { throw .tooManyKeys }
        var authorities: [[UInt8]] = []
        for (index, key) in keys.enumerated() {
            switch key.use {
            case "x509-svid":
                guard key.kty != nil else { throw .keyWithoutType(number: index + 1) }
                // X509-SVID 6.2: of several certificates all but the first are ignored, and so is a key without any.
                guard let first = key.x5c?.first else { continue }
                guard let der = Data(base64Encoded: first) else { throw .certificateNotBase64(number: index + 1) }
                authorities.append(Array(der))
            case "jwt-svid":
                guard let name = key.kid, !name.isEmpty else { throw .keyWithoutName(number: index + 1) }
            default: continue
            }
        }
        self.authorities = authorities
        sequence = content.sequence
        refreshHintSeconds = content.refreshHint
    }

    private struct Content: Decodable {
        let keys: [Key]?
        let sequence: UInt64?
        let refreshHint: Int64?

        enum CodingKeys: String, CodingKey {
            case keys
            case sequence = "spiffe_sequence"
            case refreshHint = "spiffe_refresh_hint"
        }
    }

    private struct Key: Decodable {
        let use: String?
        let kty: String?
        let kid: String?
        let x5c: [String]?
    }

    public static let bytesAtMost = 1 << 20
    private static let keysAtMost = 1_024
}

/// Why a text is not a SPIFFE bundle. Keys count from 1.
public enum BundleDocumentFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLarge, notADocument, noKeys, tooManyKeys
    /// An object of the document has two members of this name.
    case repeatedName(String)
    case keyWithoutType(number: Int)
    case keyWithoutName(number: Int)
    case certificateNotBase64(number: Int)

    public var description: String {
        switch self {
        case .tooLarge: "the document is larger than \(BundleDocument.bytesAtMost) bytes"
        case .notADocument: "it is not a JWKS document"
        case .noKeys: "the document has no `keys`"
        case .tooManyKeys: "the document has too many keys"
        case .repeatedName(let name): "an object of the document has two members named \"\(name.prefix(64))\""
        case .keyWithoutType(let number): "key \(number) has no `kty`"
        case .keyWithoutName(let number): "key \(number) is for JWT-SVIDs and has no `kid`"
        case .certificateNotBase64(let number): "the certificate of key \(number) is not base64"
        }
    }
}
