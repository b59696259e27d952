public import Identity

/// An identity as an issuer hands it out at run time, in DER; nothing of it has been looked at yet.
public struct IssuedIdentity: Sendable {
    /// Certificates one after the other: the SVID, then its intermediates.
    public var certificates: [UInt8]
    /// PKCS#8; overwritten when the identity is assembled.
    public var privateKey: [UInt8]
    /// Of each trust domain its anchors, one after the other.
    public var bundles: [TrustDomain: [UInt8]]
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

/// Why an issued identity is not one to use.
public struct IssuedIdentityFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension IdentityMaterial {
    /// Checks an issued identity as of `now` (Unix seconds), as a whole and as strictly as one in files.
    public init(
        assembling issued: IssuedIdentity, generation: UInt64, now: Int64
    ) throws(IssuedIdentityFlaw) {
        var issued = issued
        let key = PrivateKeyBytes(consuming: &issued.privateKey)
        let chain = try Self.certificates(issued.certificates, "the SVID")
        let leafDER = chain[0]
        let leaf: CertificateFields
        let id: SPIFFEID
        do throws(SVIDRefusal) {
            leaf = try CertificateFields(parsing: leafDER.span)
            id = try leaf.leafIdentity()
        } catch {
            throw IssuedIdentityFlaw("the SVID is not one that peers accept: \(error.rawValue)")
        }
        guard leaf.notBefore <= now, now <= leaf.notAfter else {
            throw IssuedIdentityFlaw("the SVID of \(id) is not valid now")
        }
        try Self.check(key, chain[0])
        var bundles: [TrustBundle] = []
        for (domain, bytes) in issued.bundles.sorted(by: { $0.key.name < $1.key.name }) {
            bundles.append(try Self.bundle(domain, bytes))
        }
        guard bundles.contains(where: { $0.trustDomain == id.trustDomain }) else {
            throw IssuedIdentityFlaw("there is no trust bundle for the SVID's trust domain \"\(id.trustDomain)\"")
        }
        let revocation = try Self.revocation(issued, bundles)
        try Self.checkTrust(chain, bundles, now)
        self.init(
            id: id, notBefore: leaf.notBefore, notAfter: leaf.notAfter, generation: generation, chain: chain,
            trustBundles: bundles, revocation: revocation, privateKey: key)
    }

    // MARK: Private

    private static func certificates(_ bytes: [UInt8], _ what: String) throws(IssuedIdentityFlaw) -> [[UInt8]] {
        guard let certificates = CertificateFields.split(bytes), !certificates.isEmpty,
            (try? CertificateStack(certificates)) != nil
        else { throw IssuedIdentityFlaw("\(what) has a certificate that cannot be parsed, or none") }
        guard certificates.count <= bundleCertificatesAtMost else {
            throw IssuedIdentityFlaw("\(what) has \(certificates.count) certificates")
        }
        return certificates
    }

    private static func check(_ key: PrivateKeyBytes, _ leaf: [UInt8]) throws(IssuedIdentityFlaw) {
        do throws(TLSFault) {
            let parsed = try key.makeKey()
            if let problem = parsed.problem { throw TLSFault.unusableName(problem) }
            let certificates = try CertificateStack([leaf])
            // Safe: both are alive here.
            guard unsafe parsed.matches(certificate: certificates.certificate(at: 0)) else {
                throw TLSFault.unusableName("it does not match the certificate")
            }
        } catch .unusableName(let problem) {
            throw IssuedIdentityFlaw("the private key: \(problem)")
        } catch {
            throw IssuedIdentityFlaw("the private key cannot be parsed")
        }
    }

    private static func bundle(_ domain: TrustDomain, _ bytes: [UInt8]) throws(IssuedIdentityFlaw) -> TrustBundle {
        let anchors = try certificates(bytes, "the trust bundle of \"\(domain)\"")
        for anchor in anchors {
            do throws(SVIDRefusal) {
                try CertificateFields(parsing: anchor.span).checkSigning(of: domain)
            } catch {
                throw IssuedIdentityFlaw(
                    "the trust bundle of \"\(domain)\" has a certificate that cannot sign SVIDs: \(error.rawValue)")
            }
        }
        return TrustBundle(trustDomain: domain, certificates: anchors)
    }

    /// The lists do not say whose they are: their signatures do, when they are looked at.
    private static func revocation(
        _ issued: IssuedIdentity, _ bundles: [TrustBundle]
    ) throws(IssuedIdentityFlaw) -> Revocation {
        guard issued.revocation != .off else { return Revocation(.off) }
        var lists: [RevocationList] = []
        for der in issued.revocationLists {
            do throws(RevocationListFlaw) {
                lists.append(try RevocationList(parsing: der))
            } catch {
                throw IssuedIdentityFlaw("a list of revoked certificates \(error)")
            }
        }
        guard !lists.isEmpty else { return Revocation(issued.revocation) }
        return Revocation(
            issued.revocation, Dictionary(uniqueKeysWithValues: bundles.map { ($0.trustDomain, lists) }))
    }

    private static func checkTrust(
        _ chain: [[UInt8]], _ bundles: [TrustBundle], _ now: Int64
    ) throws(IssuedIdentityFlaw) {
        do throws(TLSFault) {
            let verifier = try PeerVerifier(
                bundles: bundles, acceptPeer: nil, generations: SessionGenerations(identity: 0), clock: { now })
            guard let refusal = try verifier.refusal(ofOwnChain: chain) else { return }
            throw TLSFault.unusableName(refusal.rawValue)
        } catch .unusableName(let refusal) {
            throw IssuedIdentityFlaw(
                "the SVID does not verify against the bundle of its own trust domain: \(refusal)")
        } catch {
            throw IssuedIdentityFlaw("\(error)")
        }
    }

    private static let bundleCertificatesAtMost = 1_024
}
