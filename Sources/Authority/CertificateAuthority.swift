import Crypto

/// A throw-away authority of one trust domain: a root, or an intermediate below one. For development and tests only.
public struct CertificateAuthority: Hashable, Sendable {
    public let trustDomain: String
    public let key: KeyPair
    public let certificateDER: [UInt8]
    /// The intermediates from this one up, without the root: what a leaf presents after itself.
    public let intermediatesDER: [[UInt8]]
    /// The root's certificate: what verifiers put into their trust bundle.
    public let rootDER: [UInt8]

    let subjectName: [UInt8]

    /// Makes a self-signed root.
    public init(
        trustDomain: String, keyKind: KeyKind = .p256, validity: Validity = .days(30)
    ) throws(PKIFault) {
        try self.init(trustDomain: trustDomain, request: AuthorityRequest(keyKind: keyKind, validity: validity))
    }

    /// Makes a self-signed root from `request`.
    public init(trustDomain: String, request: AuthorityRequest) throws(PKIFault) {
        let key = if let reused = request.key { reused } else { try KeyPair.generate(request.keyKind) }
        let name = Certificate.name(commonName: request.commonName ?? "\(trustDomain) root")
        let der = try Self.certificate(
            request, trustDomain: trustDomain, key: key, subjectName: name, issuerName: name, issuerKey: key)
        self.init(
            trustDomain: trustDomain, key: key, certificateDER: der, intermediatesDER: [], rootDER: der,
            subjectName: name)
    }

    /// Makes an authority below this one.
    public func intermediate(_ request: AuthorityRequest = AuthorityRequest()) throws(PKIFault) -> CertificateAuthority
    {
        let key = if let reused = request.key { reused } else { try KeyPair.generate(request.keyKind) }
        let name = Certificate.name(
            commonName: request.commonName ?? "\(trustDomain) intermediate \(intermediatesDER.count + 1)")
        let der = try Self.certificate(
            request, trustDomain: trustDomain, key: key, subjectName: name, issuerName: subjectName,
            issuerKey: self.key)
        return CertificateAuthority(
            trustDomain: trustDomain, key: key, certificateDER: der, intermediatesDER: [der] + intermediatesDER,
            rootDER: rootDER, subjectName: name)
    }

    /// Issues a leaf from `request`.
    public func issue(_ request: LeafRequest = LeafRequest()) throws(PKIFault) -> IssuedCertificate {
        let key = if let reused = request.key { reused } else { try KeyPair.generate(request.keyKind) }
        let der = try Self.certificate(
            request, trustDomain: trustDomain, key: key, issuerName: subjectName, issuerKey: self.key)
        return IssuedCertificate(chainDER: [der] + intermediatesDER, key: key)
    }

    /// Issues a valid leaf for `path`.
    public func issue(path: String) throws(PKIFault) -> IssuedCertificate { try issue(LeafRequest(path: path)) }

    /// A leaf that signs itself.
    public static func selfSigned(trustDomain: String, _ request: LeafRequest) throws(PKIFault) -> IssuedCertificate {
        let key = if let reused = request.key { reused } else { try KeyPair.generate(request.keyKind) }
        let name = Certificate.name(commonName: request.commonName)
        let der = try certificate(request, trustDomain: trustDomain, key: key, issuerName: name, issuerKey: key)
        return IssuedCertificate(chainDER: [der], key: key)
    }

    /// This authority's own certificate in PEM.
    public var certificatePEM: String { PEMBlock.encode("CERTIFICATE", certificateDER) }

    /// The trust bundle: the root's certificate in PEM.
    public var bundlePEM: String { PEMBlock.encode("CERTIFICATE", rootDER) }

    init(
        trustDomain: String, key: KeyPair, certificateDER: [UInt8], intermediatesDER: [[UInt8]], rootDER: [UInt8],
        subjectName: [UInt8]
    ) {
        self.trustDomain = trustDomain
        self.key = key
        self.certificateDER = certificateDER
        self.intermediatesDER = intermediatesDER
        self.rootDER = rootDER
        self.subjectName = subjectName
    }

    private static func certificate(
        _ request: AuthorityRequest, trustDomain: String, key: KeyPair, subjectName: [UInt8], issuerName: [UInt8],
        issuerKey: KeyPair
    ) throws(PKIFault) -> [UInt8] {
        try Certificate(
            serialNumber: Certificate.randomSerialNumber(), issuerName: issuerName, subjectName: subjectName,
            validity: request.validity, subjectPublicKeyInfo: key.subjectPublicKeyInfoDER,
            extensions: Certificate.extensions(
                subjectAltNames: request.subjectAltNames ?? [.uri("spiffe://\(trustDomain)")],
                basicConstraints: request.basicConstraints, keyUsage: request.keyUsage,
                nameConstraints: request.nameConstraints, subjectKeyIdentifier: key.identifier,
                authorityKeyIdentifier: issuerKey.identifier, additional: request.extensions)
        ).signed(by: issuerKey)
    }

    private static func certificate(
        _ request: LeafRequest, trustDomain: String, key: KeyPair, issuerName: [UInt8], issuerKey: KeyPair
    ) throws(PKIFault) -> [UInt8] {
        try Certificate(
            serialNumber: request.serialNumber ?? Certificate.randomSerialNumber(), issuerName: issuerName,
            subjectName: Certificate.name(commonName: request.commonName), validity: request.validity,
            subjectPublicKeyInfo: key.subjectPublicKeyInfoDER,
            extensions: Certificate.extensions(
                subjectAltNames: request.subjectAltNames ?? [.uri("spiffe://\(trustDomain)\(request.path)")],
                subjectAltNameIsCritical: request.subjectAltNameIsCritical,
                basicConstraints: request.basicConstraints, keyUsage: request.keyUsage,
                keyUsageIsCritical: request.keyUsageIsCritical, extendedKeyUsage: request.extendedKeyUsage,
                nameConstraints: request.nameConstraints, subjectKeyIdentifier: key.identifier,
                authorityKeyIdentifier: issuerKey.identifier, additional: request.extensions)
        ).signed(by: issuerKey)
    }
}
