import Crypto
import Identity
import Telemetry

// MARK: Trust bundles

extension IdentityAssembly {
    /// The usable bundles; a flawed one is left out, or replaced by the last good one of its domain.
    mutating func trustBundles(_ parts: IdentityParts) -> [TrustBundle] {
        var bundles: [TrustBundle] = []
        for part in parts.bundles {
            let domain = part.trustDomain
            guard !bundles.contains(where: { $0.trustDomain == domain }) else {
                note(part, "the trust domain \"\(domain)\" has a bundle already")
                continue
            }
            guard let authorities = part.authorities else {
                let kept = lastGood(domain)
                if let kept { bundles.append(kept) }
                if isUpholding { note(part, Self.outcome(kept, domain), .warning) }
                continue
            }
            do throws(TrustBundleFlaw) {
                let bundle = try TrustBundle(trusting: authorities, of: domain)
                for index in bundle.expired(at: now) {
                    note(part, "certificate \(index + 1) of the bundle has expired", .warning)
                }
                bundles.append(bundle)
            } catch {
                let kept = lastGood(domain)
                if let kept { bundles.append(kept) }
                note(part, isUpholding ? "\(error); \(Self.outcome(kept, domain))" : "\(error)")
            }
        }
        return bundles
    }

    private static func outcome(_ kept: TrustBundle?, _ domain: TrustDomain) -> String {
        "the trust domain \"\(domain)\" \(kept == nil ? "is not trusted" : "keeps its last good bundle")"
    }

    private func lastGood(_ domain: TrustDomain) -> TrustBundle? {
        upheld?.trustBundles.first { $0.trustDomain == domain }
    }

    private mutating func note(
        _ bundle: IdentityParts.Bundle, _ message: String, _ severity: IdentityFlaw.Severity = .error
    ) {
        flaws.append(IdentityFlaw(.trustBundle(bundle.trustDomain), message, severity, path: bundle.path))
    }
}

// MARK: CRLs

extension IdentityAssembly {
    /// The usable CRLs; notes a flaw for each trust domain that lacks one it needs.
    mutating func revocation(_ parts: IdentityParts, _ bundles: [TrustBundle]) -> Revocation {
        guard parts.revocation != .off else { return Revocation(.off) }
        var lists = Revocation.Lists()
        var isWhole = true
        for part in parts.revocationLists {
            let bundle = bundles.first { $0.trustDomain == part.trustDomain }
            let read = readLists(part, bundle?.certificates ?? [], parts.revocation)
            if !read.isWhole { isWhole = false }
            if let domain = part.trustDomain {
                lists.ofDomain[domain, default: []] += read.lists
            } else {
                lists.ofAny += read.lists
            }
        }
        if parts.revocation == .required { checkRequired(parts) }
        let before = upheld?.revocation
        return Revocation(
            parts.revocation, lists, upheld: isWhole ? Revocation.Lists() : before?.toUphold ?? Revocation.Lists())
    }

    /// The CRLs that can be read, and whether nothing is wrong with any.
    ///
    /// Whose a CRL is, its signature decides when it is looked at: one that seems forged is reported, and taken
    /// nevertheless, for another certificate of the same name may have signed it.
    ///
    /// - Parameter anchors: of the trust domain that the source says the CRLs are for.
    private mutating func readLists(
        _ part: IdentityParts.RevocationLists, _ anchors: [[UInt8]], _ mode: Revocation.Mode
    ) -> (lists: [RevocationList], isWhole: Bool) {
        guard let ders = part.lists else { return ([], false) }
        let anchors = anchors.compactMap { try? Certificate(parsing: $0) }
        var lists: [RevocationList] = []
        var isWhole = true
        for der in ders {
            do throws(RevocationListFlaw) {
                let list = try RevocationList(parsing: der)
                lists.append(list)
                noteAge(of: list, part, mode)
                guard isForged(list, anchors) else { continue }
                isWhole = false
                note(part, "a CRL in the name of a certificate of the bundle is not signed by it")
            } catch {
                isWhole = false
                note(part, isUpholding ? "a CRL \(error); the CRLs of before stay in force" : "\(error)")
            }
        }
        return (lists, isWhole)
    }

    /// Issued in an anchor's name but signed by no anchor of that name: a mistake, or a forgery.
    private func isForged(_ list: RevocationList, _ anchors: [Certificate]) -> Bool {
        let named = anchors.filter { list.isNamed(for: $0) }
        return !named.isEmpty
            && !named.contains { anchor in
                let der = anchor.der
                guard let fields = try? CertificateFields(parsing: der.span) else { return false }
                return list.isOwn(of: anchor, fields)
            }
    }

    private mutating func noteAge(
        of list: RevocationList, _ part: IdentityParts.RevocationLists, _ mode: Revocation.Mode
    ) {
        guard let nextUpdate = list.nextUpdate, now > nextUpdate else { return }
        let effect =
            mode == .required
            ? "peers of its issuer are refused" : "a certificate on it is refused all the same"
        note(part, "a CRL ended at \(CivilTime.rfc3339(unixSeconds: nextUpdate)); \(effect)", .warning)
    }

    private mutating func checkRequired(_ parts: IdentityParts) {
        // A source that does not name the trust domains of its CRLs need not have one for each.
        let named = parts.revocationLists.compactMap(\.trustDomain)
        guard parts.revocationLists.allSatisfy({ $0.trustDomain != nil }) else { return }
        for bundle in parts.bundles where !named.contains(bundle.trustDomain) {
            note(bundle, "revocation is required, and no CRL is named for \"\(bundle.trustDomain)\"")
        }
    }

    private mutating func note(
        _ part: IdentityParts.RevocationLists, _ message: String, _ severity: IdentityFlaw.Severity = .error
    ) {
        flaws.append(IdentityFlaw(.revocationLists(part.trustDomain), message, severity, path: part.path))
    }
}
