import Crypto
public import Identity

/// An identity as an issuer hands it out at run time, in DER; nothing of it has been looked at yet.
public struct IssuedIdentity: Sendable {
    /// Certificates one after the other: the SVID, then its intermediates.
    public var certificates: [UInt8]
    /// PKCS#8; overwritten when the identity is assembled.
    public var privateKey: [UInt8]
    /// Of each trust domain its anchors, one after the other.
    public var bundles: [TrustDomain: [UInt8]]
    /// They do not say whose they are: their signatures do, when they are looked at.
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
    /// Checks an issued identity as of `now` (Unix seconds), by the same function as one in files.
    ///
    /// - Parameter lastGood: what a flawed domain keeps its bundle from, and where CRLs stay in force from.
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
        if chain == nil { flaws.append(IdentityFlaw(.svid, "its certificates cannot be told apart")) }
        for (domain, bytes) in issued.bundles.sorted(by: { $0.key.name < $1.key.name }) {
            // What cannot be told apart is one certificate that cannot be parsed.
            bundles.append(Bundle(trustDomain: domain, authorities: CertificateFields.split(bytes) ?? [bytes]))
        }
        revocationLists = [RevocationLists(trustDomain: nil, lists: issued.revocationLists)]
    }
}
