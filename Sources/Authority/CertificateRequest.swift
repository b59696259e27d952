/// The contents of a leaf certificate: the defaults are valid, and every field can make it invalid on purpose.
public struct LeafRequest: Hashable, Sendable {
    /// The path of the SPIFFE ID in the authority's trust domain, e.g. `/ns/default/sa/client`.
    public var path: String
    /// Replaces the one URI that `path` gives; empty leaves the extension out.
    public var subjectAltNames: [SubjectAltName]?
    public var subjectAltNameIsCritical = false
    public var commonName = "workload"
    public var validity: Validity
    public var keyKind: KeyKind
    /// Reuses a key instead of making one of `keyKind`.
    public var key: KeyPair?
    public var basicConstraints: BasicConstraints? = BasicConstraints(isCA: false)
    public var keyUsage: KeyUsage? = .digitalSignature
    public var keyUsageIsCritical = true
    public var extendedKeyUsage: [ExtendedKeyUsage]? = [.serverAuth, .clientAuth]
    public var nameConstraints: NameConstraints?
    public var extensions: [RawExtension] = []
    /// Big-endian; nil is 128 random bits.
    public var serialNumber: [UInt8]?

    public init(
        path: String = "/ns/default/sa/client", subjectAltNames: [SubjectAltName]? = nil,
        validity: Validity = .hours(24), keyKind: KeyKind = .p256, key: KeyPair? = nil
    ) {
        self.path = path
        self.subjectAltNames = subjectAltNames
        self.validity = validity
        self.keyKind = keyKind
        self.key = key
    }

    /// A request changed in place: `LeafRequest(path: "/a").with { $0.keyUsage = nil }`.
    public func with(_ change: (inout LeafRequest) -> Void) -> LeafRequest {
        var copy = self
        change(&copy)
        return copy
    }
}

/// The contents of a root or intermediate certificate.
public struct AuthorityRequest: Hashable, Sendable {
    /// Replaces the one URI of the trust domain; empty leaves the extension out.
    public var subjectAltNames: [SubjectAltName]?
    public var commonName: String?
    public var validity: Validity
    public var keyKind: KeyKind
    public var key: KeyPair?
    public var basicConstraints: BasicConstraints?
    public var keyUsage: KeyUsage?
    public var nameConstraints: NameConstraints?
    public var extensions: [RawExtension]

    public init(
        keyKind: KeyKind = .p256, validity: Validity = .days(30), pathLength: Int? = nil,
        subjectAltNames: [SubjectAltName]? = nil, commonName: String? = nil, key: KeyPair? = nil,
        basicConstraints: BasicConstraints? = BasicConstraints(isCA: true),
        keyUsage: KeyUsage? = [.keyCertSign, .crlSign],
        nameConstraints: NameConstraints? = nil, extensions: [RawExtension] = []
    ) {
        self.keyKind = keyKind
        self.validity = validity
        self.subjectAltNames = subjectAltNames
        self.commonName = commonName
        self.key = key
        self.basicConstraints = basicConstraints
        if let pathLength { self.basicConstraints?.pathLength = pathLength }
        self.keyUsage = keyUsage
        self.nameConstraints = nameConstraints
        self.extensions = extensions
    }
}
