/// One entry of a subjectAltName (RFC 5280, 4.2.1.6). Bytes are used as given: nothing here is checked.
public enum SubjectAltName: Hashable, Sendable {
    case uri(String)
    case uriBytes([UInt8])
    case dns(String)
    case email(String)
    case ipAddress([UInt8])
    /// A UTF8String value under the type 1.3.6.1.4.1.55555.1.
    case otherName(String)

    var der: [UInt8] {
        switch self {
        case .uri(let text): DER.element(0x86, Array(text.utf8))
        case .uriBytes(let bytes): DER.element(0x86, bytes)
        case .dns(let text): DER.element(0x82, Array(text.utf8))
        case .email(let text): DER.element(0x81, Array(text.utf8))
        case .ipAddress(let bytes): DER.element(0x87, bytes)
        case .otherName(let text):
            DER.element(
                0xA0, DER.objectIdentifier([1, 3, 6, 1, 4, 1, 55555, 1]) + DER.explicit(0, DER.utf8String(text)))
        }
    }
}

/// The bits of keyUsage (RFC 5280, 4.2.1.3).
public struct KeyUsage: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let digitalSignature = KeyUsage(rawValue: 1 << 0)
    public static let contentCommitment = KeyUsage(rawValue: 1 << 1)
    public static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
    public static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
    public static let keyAgreement = KeyUsage(rawValue: 1 << 4)
    public static let keyCertSign = KeyUsage(rawValue: 1 << 5)
    public static let crlSign = KeyUsage(rawValue: 1 << 6)

    var der: [UInt8] { DER.namedBits((0..<9).filter { rawValue & 1 << $0 != 0 }) }
}

/// A purpose of extKeyUsage (RFC 5280, 4.2.1.12).
public enum ExtendedKeyUsage: Sendable, CaseIterable {
    case serverAuth, clientAuth, codeSigning, any

    var der: [UInt8] {
        switch self {
        case .serverAuth: DER.objectIdentifier([1, 3, 6, 1, 5, 5, 7, 3, 1])
        case .clientAuth: DER.objectIdentifier([1, 3, 6, 1, 5, 5, 7, 3, 2])
        case .codeSigning: DER.objectIdentifier([1, 3, 6, 1, 5, 5, 7, 3, 3])
        case .any: DER.objectIdentifier([2, 5, 29, 37, 0])
        }
    }
}

/// The basicConstraints of a certificate (RFC 5280, 4.2.1.9).
public struct BasicConstraints: Hashable, Sendable {
    public var isCA: Bool
    public var pathLength: Int?

    public init(isCA: Bool, pathLength: Int? = nil) {
        self.isCA = isCA
        self.pathLength = pathLength
    }

    var der: [UInt8] {
        DER.sequence(isCA ? DER.boolean(true) : [], pathLength.map { DER.integer($0) } ?? [])
    }
}

/// The nameConstraints of an authority (RFC 5280, 4.2.1.10): hosts that URIs may, or may not, have.
public struct NameConstraints: Hashable, Sendable {
    public var permittedURIHosts: [String]
    public var excludedURIHosts: [String]

    public init(permittedURIHosts: [String] = [], excludedURIHosts: [String] = []) {
        self.permittedURIHosts = permittedURIHosts
        self.excludedURIHosts = excludedURIHosts
    }

    var der: [UInt8] {
        func subtrees(_ number: UInt8, _ hosts: [String]) -> [UInt8] {
            guard !hosts.isEmpty else { return [] }
            return DER.explicit(number, hosts.flatMap { DER.sequence(SubjectAltName.uri($0).der) })
        }
        return DER.sequence(subtrees(0, permittedURIHosts), subtrees(1, excludedURIHosts))
    }
}

/// An extension as bytes, for what the types above cannot express.
public struct RawExtension: Hashable, Sendable {
    public var objectIdentifier: [UInt]
    public var critical: Bool
    /// The DER inside the OCTET STRING.
    public var value: [UInt8]

    public init(objectIdentifier: [UInt], critical: Bool, value: [UInt8]) {
        self.objectIdentifier = objectIdentifier
        self.critical = critical
        self.value = value
    }

    /// An extension with an unknown identifier.
    public static func unknown(critical: Bool) -> RawExtension {
        RawExtension(objectIdentifier: [1, 3, 6, 1, 4, 1, 55555, 2], critical: critical, value: DER.utf8String("?"))
    }

    var der: [UInt8] {
        DER.sequence(
            DER.objectIdentifier(objectIdentifier), critical ? DER.boolean(true) : [], DER.octetString(value))
    }
}
