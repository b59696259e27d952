import Crypto
public import Identity

/// An identity as an issuer delivers it at run time, in DER; not yet checked.
public struct IssuedIdentity: Sendable {
    /// Concatenated certificates: the SVID, then its intermediates.
    public var certificates: [UInt8]
    /// PKCS#8; overwritten when the identity is assembled.
    public var privateKey: [UInt8]
    /// The concatenated anchors of each trust domain.
    public var bundles: [TrustDomain: [UInt8]]
    /// Their trust domains are not named: each CRL's signature shows its issuer.
    public var revocationLists: [[UInt8]]
    public var revocation: Revocation.Mode

    public init(
        certificates: [UInt8], privateKey: [UInt8], bundles: [TrustDomain: [UInt8]], revocationLists: [[UInt8]],
        revocation: Revocation.Mode
    ) {
        self.certificates = certificates
        self.privateKey = privateKey
        self.bundles = bundles
        self.revocationLists = revocationLists
        self.revocation = revocation
    }
}

extension IdentityMaterial {
    /// Checks an issued identity as of `now` (Unix seconds), with the same code as one from files.
    ///
    /// - Parameter lastGood: the identity from which a flawed domain keeps its bundle and CRLs stay in force.
    public static func assemble(
        _ issued: consuming IssuedIdentity, now: Int64, lastGood: IdentityMaterial?
    ) -> AssembledIdentity {
        IdentityAssembly.assemble(IdentityParts(decoding: &issued), .uphold(lastGood), now: now)
    }
}

extension IdentityParts {
    init(decoding issued: inout IssuedIdentity) {
        self.init(revocation: issued.revocation)
        key = PrivateKeyBytes(consuming: &issued.privateKey)
        chain = CertificateFields.split(issued.certificates)
        if chain == nil { flaws.append(IdentityFlaw(.svid, "its certificates are not concatenated DER")) }
        for (domain, bytes) in issued.bundles.sorted(by: { $0.key.name < $1.key.name }) {
            // Bytes that cannot be split count as one certificate that cannot be parsed.
            bundles.append(Bundle(trustDomain: domain, authorities: CertificateFields.split(bytes) ?? [bytes]))
        }
        revocationLists = [RevocationLists(trustDomain: nil, lists: issued.revocationLists)]
    }
}
