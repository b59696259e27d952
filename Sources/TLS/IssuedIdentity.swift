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

/// An identity to use, and what was left out of it.
public struct AssembledIdentity: Sendable {
    public let material: IdentityMaterial
    /// What is wrong with other trust domains than our own, and with CRLs; it hinders nothing else.
    public let passedOver: [IssuedIdentityFlaw]
}

extension IdentityMaterial {
    /// Checks an issued identity as of `now` (Unix seconds), as strictly as one in files.
    ///
    /// Throws what is wrong with the SVID, its key, or the bundle of its own trust domain: then nothing is taken.
    /// Another domain whose bundle is flawed keeps the one that it has in `lastGood`, or has none. A malformed CRL does
    /// not say whose it is: all CRLs of `lastGood` then stay in force beside the new ones.
    public static func assemble(
        _ issued: IssuedIdentity, generation: UInt64, now: Int64, lastGood: IdentityMaterial?
    ) throws(IssuedIdentityFlaw) -> AssembledIdentity {
        var issued = issued
        let key = PrivateKeyBytes(consuming: &issued.privateKey)
        let chain = try ownChain(issued.certificates)
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
        try check(key, leafDER)
        guard issued.bundles[id.trustDomain] != nil else {
            throw IssuedIdentityFlaw("there is no trust bundle for the SVID's trust domain \"\(id.trustDomain)\"")
        }
        var passedOver: [IssuedIdentityFlaw] = []
        var bundles: [TrustBundle] = []
        for (domain, bytes) in issued.bundles.sorted(by: { $0.key.name < $1.key.name }) {
            do throws(IssuedIdentityFlaw) {
                bundles.append(try bundle(domain, bytes))
            } catch {
                guard domain != id.trustDomain else { throw error }
                let kept = lastGood?.trustBundles.first { $0.trustDomain == domain }
                if let kept { bundles.append(kept) }
                let outcome = kept == nil ? "the domain is not trusted" : "the domain keeps its last good one"
                passedOver.append(IssuedIdentityFlaw("\(error.description): \(outcome)"))
            }
        }
        let revocation = revocation(issued, bundles, lastGood: lastGood, &passedOver)
        try checkTrust(chain, bundles, now)
        let material = IdentityMaterial(
            id: id, notBefore: leaf.notBefore, notAfter: leaf.notAfter, generation: generation, chain: chain,
            trustBundles: bundles, revocation: revocation, privateKey: key)
        return AssembledIdentity(material: material, passedOver: passedOver)
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

    private static func ownChain(_ bytes: [UInt8]) throws(IssuedIdentityFlaw) -> [[UInt8]] {
        let chain = try certificates(bytes, "the SVID")
        guard chain.count <= PeerVerifier.maximumPresentedCertificates else {
            let limit = PeerVerifier.maximumPresentedCertificates
            throw IssuedIdentityFlaw("the SVID comes with \(chain.count) certificates; peers accept \(limit)")
        }
        let size = chain.reduce(0) { $0 + $1.count }
        guard size <= maximumChainBytes else {
            throw IssuedIdentityFlaw("the SVID's chain has \(size) bytes; peers accept \(maximumChainBytes)")
        }
        return chain
    }

    private static func check(_ key: PrivateKeyBytes, _ leaf: [UInt8]) throws(IssuedIdentityFlaw) {
        let problem: String?
        do throws(TLSFault) {
            problem = try Self.problem(of: key, leaf)
        } catch {
            throw IssuedIdentityFlaw("the private key cannot be parsed")
        }
        if let problem { throw IssuedIdentityFlaw("the private key: \(problem)") }
    }

    private static func problem(of key: PrivateKeyBytes, _ leaf: [UInt8]) throws(TLSFault) -> String? {
        let parsed = try key.makeKey()
        if let problem = parsed.problem { return problem }
        let certificates = try CertificateStack([leaf])
        // Safe: both are alive here.
        let matches = unsafe parsed.matches(certificate: certificates.certificate(at: 0))
        return matches ? nil : "it does not match the certificate"
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

    /// The CRLs do not say whose they are: their signatures do, when they are looked at.
    private static func revocation(
        _ issued: IssuedIdentity, _ bundles: [TrustBundle], lastGood: IdentityMaterial?,
        _ passedOver: inout [IssuedIdentityFlaw]
    ) -> Revocation {
        guard issued.revocation != .off else { return Revocation(.off) }
        var lists: [RevocationList] = []
        var isWhole = true
        for der in issued.revocationLists {
            do throws(RevocationListFlaw) {
                lists.append(try RevocationList(parsing: der))
            } catch {
                isWhole = false
                passedOver.append(IssuedIdentityFlaw("a CRL \(error): the CRLs of before stay in force"))
            }
        }
        var listsOfDomain: [TrustDomain: [RevocationList]] = [:]
        for bundle in bundles {
            let before = isWhole ? [] : lastGood?.revocation.lists[bundle.trustDomain] ?? []
            let known = Set(lists.map(\.der))
            let all = lists + before.filter { !known.contains($0.der) }
            if !all.isEmpty { listsOfDomain[bundle.trustDomain] = all }
        }
        return Revocation(issued.revocation, listsOfDomain)
    }

    private static func checkTrust(
        _ chain: [[UInt8]], _ bundles: [TrustBundle], _ now: Int64
    ) throws(IssuedIdentityFlaw) {
        let refusal: SVIDRefusal?
        do throws(TLSFault) {
            let verifier = try PeerVerifier(
                bundles: bundles, acceptPeer: nil, generations: SessionGenerations(identity: 0), clock: { now })
            refusal = try verifier.refusal(ofOwnChain: chain)
        } catch {
            throw IssuedIdentityFlaw("\(error)")
        }
        guard let refusal else { return }
        throw IssuedIdentityFlaw(
            "the SVID does not verify against the bundle of its own trust domain: \(refusal.rawValue)")
    }

    private static let bundleCertificatesAtMost = 1_024
}
