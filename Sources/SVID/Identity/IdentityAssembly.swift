import Crypto
import Identity
import Telemetry

/// The outcome of assembling an identity.
public struct AssembledIdentity: Sendable {
    /// Nil if a flaw makes the whole identity unusable.
    public let material: IdentityMaterial?
    /// All flaws; if there is a material, it is usable in spite of them.
    public let flaws: [IdentityFlaw]

    /// Nothing is wrong with the SVID and its key.
    public var svidIsSound: Bool {
        flaws.allSatisfy { $0.severity == .warning || ($0.part != .svid && $0.part != .privateKey) }
    }
}

/// How to treat a flaw outside the SVID, its key and its own trust domain's bundle: in the bundle of another trust
/// domain, or in a CRL.
public enum FlawedDomains: Sendable {
    /// The whole identity is refused: at start, and for `check`.
    case refuseAll
    /// The domain keeps its bundle from this identity, or has none; previous CRLs stay in force beside the new ones.
    case uphold(IdentityMaterial?)
    /// The same where the identity has something of that domain; what is flawed and new hinders all.
    case upholdKnown(IdentityMaterial)
}

/// Checks the parts of an identity as of one moment, and assembles the usable ones: the same code for every source.
struct IdentityAssembly {
    /// Unix seconds.
    let now: Int64
    let flawedDomains: FlawedDomains
    var flaws: [IdentityFlaw] = []

    static func assemble(_ parts: IdentityParts, _ flawedDomains: FlawedDomains, now: Int64) -> AssembledIdentity {
        var assembly = IdentityAssembly(now: now, flawedDomains: flawedDomains)
        let material = assembly.assemble(parts)
        return AssembledIdentity(material: material, flaws: assembly.flaws)
    }

    private mutating func assemble(_ parts: IdentityParts) -> IdentityMaterial? {
        flaws = parts.flaws
        let bundles = trustBundles(parts)
        let revocation = revocation(parts, bundles)
        let leaf = parts.chain.flatMap { checkedLeaf($0, parts) }
        if let key = parts.key { check(key, leaf, parts) }
        if let leaf { checkTrust(leaf, parts, bundles, revocation) }
        guard let leaf, let chain = parts.chain, let key = parts.key, !hasHindrance(leaf.trustDomain) else {
            return renewed(trusting: bundles, revocation)
        }
        return IdentityMaterial(
            id: leaf.id, notBefore: leaf.fields.notBefore, notAfter: leaf.fields.notAfter, chain: chain,
            trustBundles: bundles, revocation: revocation, privateKey: key)
    }

    /// Where the SVID or its key is flawed and there is one in use: that one, with what is to be trusted now. CRLs and
    /// bundles do not wait for an SVID. Nil where it would not be verified by that any more: then all stays as it is.
    private func renewed(trusting bundles: [TrustBundle], _ revocation: Revocation) -> IdentityMaterial? {
        guard case .uphold(let material?) = flawedDomains,
            flaws.allSatisfy({ $0.severity == .warning || $0.part == .svid || $0.part == .privateKey }),
            isVerified(material.chain, bundles)
        else { return nil }
        return IdentityMaterial(
            id: material.id, notBefore: material.notBefore, notAfter: material.notAfter, chain: material.chain,
            trustBundles: bundles, revocation: revocation, privateKey: material.privateKey)
    }

    private func isVerified(_ chain: [[UInt8]], _ bundles: [TrustBundle]) -> Bool {
        do throws(CryptoFault) { return try refusal(of: chain, bundles, Revocation(.off)) == nil } catch {
            return false
        }
    }

    /// Whether some flaw means that nothing may be taken.
    private func hasHindrance(_ own: TrustDomain) -> Bool {
        flaws.contains { flaw in
            guard flaw.severity == .error else { return false }
            return switch (flaw.part, flawedDomains) {
            case (.svid, _), (.privateKey, _), (_, .refuseAll): true
            // Without a bundle of our own domain nobody would be let in.
            case (.trustBundle(let domain), .uphold): domain == own && !hasLastGood(domain)
            case (.revocationLists, .uphold): false
            case (.trustBundle(let domain), .upholdKnown): !hasLastGood(domain)
            case (.revocationLists(let domain), .upholdKnown):
                domain.map { upheld?.revocation.lists.ofDomain[$0] == nil } ?? false
            }
        }
    }

    private func hasLastGood(_ domain: TrustDomain) -> Bool {
        upheld?.trustBundles.contains { $0.trustDomain == domain } ?? false
    }

    /// The identity that something flawed is taken from instead, where there is one.
    var upheld: IdentityMaterial? {
        switch flawedDomains {
        case .refuseAll: nil
        case .uphold(let material): material
        case .upholdKnown(let material): material
        }
    }

    var isUpholding: Bool { if case .refuseAll = flawedDomains { false } else { true } }
}

// MARK: The SVID

extension IdentityAssembly {
    /// An SVID that satisfies the leaf rules; not yet verified against a bundle.
    private struct Leaf {
        let certificate: Certificate
        let fields: CertificateFields
        let id: SPIFFEID

        var trustDomain: TrustDomain { id.trustDomain }
    }

    private mutating func checkedLeaf(_ chain: [[UInt8]], _ parts: IdentityParts) -> Leaf? {
        func flaw(_ message: String) -> IdentityFlaw { IdentityFlaw(.svid, message, path: parts.chainPath) }
        guard let leafDER = chain.first else {
            flaws.append(flaw("contains no certificate"))
            return nil
        }
        var certificates: [Certificate] = []
        for (index, der) in chain.enumerated() {
            guard let certificate = try? Certificate(parsing: der) else {
                flaws.append(flaw("certificate \(index + 1) cannot be parsed"))
                return nil
            }
            certificates.append(certificate)
        }
        let bytes = chain.reduce(0) { $0 + $1.count }
        let longest = IdentityMaterial.maximumChainBytes
        if bytes > longest { flaws.append(flaw("the chain has \(bytes) bytes; peers accept \(longest)")) }
        let most = SVIDVerifier.maximumPresentedCertificates
        if chain.count > most { flaws.append(flaw("has \(chain.count) certificates; peers accept \(most)")) }
        do throws(SVIDRefusal) {
            let fields = try CertificateFields(parsing: leafDER.span)
            let id = try fields.leafIdentity()
            if now > fields.notAfter {
                flaws.append(flaw("the SVID expired at \(CivilTime.rfc3339(unixSeconds: fields.notAfter))"))
            } else if now < fields.notBefore {
                flaws.append(flaw("the SVID is not valid before \(CivilTime.rfc3339(unixSeconds: fields.notBefore))"))
            }
            return Leaf(certificate: certificates[0], fields: fields, id: id)
        } catch {
            flaws.append(flaw("the first certificate is not an SVID that peers accept: \(error.rawValue)"))
            return nil
        }
    }

    private mutating func check(_ bytes: PrivateKeyBytes, _ leaf: Leaf?, _ parts: IdentityParts) {
        func flaw(_ message: String) -> IdentityFlaw { IdentityFlaw(.privateKey, message, path: parts.keyPath) }
        do throws(CryptoFault) {
            let key = try bytes.makeKey()
            if let problem = key.problem {
                flaws.append(flaw(problem))
            } else if let leaf, !key.matches(leaf.certificate) {
                let file = parts.chainPath.map { " \($0)" } ?? ""
                flaws.append(flaw("the key does not match the certificate\(file)"))
            }
        } catch {
            flaws.append(flaw("the private key cannot be parsed"))
        }
    }

    /// Verifies the SVID as a peer of its own trust domain would.
    private mutating func checkTrust(
        _ leaf: Leaf, _ parts: IdentityParts, _ bundles: [TrustBundle], _ revocation: Revocation
    ) {
        func flaw(_ message: String, _ severity: IdentityFlaw.Severity = .error) -> IdentityFlaw {
            IdentityFlaw(.svid, message, severity, path: parts.chainPath)
        }
        let domain = leaf.trustDomain
        guard parts.bundles.contains(where: { $0.trustDomain == domain }) else {
            flaws.append(flaw("there is no trust bundle for the SVID's trust domain \"\(domain)\""))
            return
        }
        // A bundle that is flawed has its own flaw, and so has the SVID's own validity.
        guard bundles.contains(where: { $0.trustDomain == domain }), leaf.fields.notBefore <= now,
            now <= leaf.fields.notAfter, let chain = parts.chain
        else {
            return
        }
        let against = "does not verify against the bundle of its own trust domain"
        do throws(CryptoFault) {
            if let refusal = try refusal(of: chain, bundles, Revocation(.off)) {
                flaws.append(flaw("the SVID \(against): \(refusal.rawValue)"))
            } else if let refusal = try refusal(of: chain, bundles, revocation) {
                // Not an error: a CRL that lists this SVID must be adopted all the more.
                flaws.append(flaw("peers may refuse the SVID: \(refusal.rawValue)", .warning))
            }
        } catch {
            flaws.append(flaw(error.description))
        }
    }

    private func refusal(
        of chain: [[UInt8]], _ bundles: [TrustBundle], _ revocation: Revocation
    ) throws(CryptoFault) -> SVIDRefusal? {
        let now = now
        return try SVIDVerifier(bundles: bundles, revocation: revocation, clock: { now }).refusal(ofOwn: chain)
    }
}
