import Identity
import System
import Telemetry

extension IdentityLoader {
    /// Reads the lists of revoked certificates, and says which trust domains have none although they need one.
    mutating func loadRevocation(_ files: IdentityFiles, _ bundles: [TrustBundle]) -> Revocation {
        guard files.revocation != .off else { return Revocation(.off) }
        var lists: [TrustDomain: [RevocationList]] = [:]
        for file in files.revocationLists {
            let role = IdentityFileFlaw.Role.revocationList(file.trustDomain)
            guard let found = revocationLists(of: file, role) else { continue }
            guard !found.isEmpty else {
                note(file.path, role, "has no list of revoked certificates in it")
                continue
            }
            for list in found { checkAge(list, of: file, role, files.revocation) }
            checkIssuers(found, of: file, role, bundles)
            lists[file.trustDomain, default: []] += found
        }
        guard files.revocation == .required else { return Revocation(files.revocation, lists) }
        let listed = Set(files.revocationLists.map(\.trustDomain))
        for bundle in files.trustBundles where !listed.contains(bundle.trustDomain) {
            note(
                bundle.path, .trustBundle(bundle.trustDomain),
                "revocation is required, and no list of revoked certificates is named for \"\(bundle.trustDomain)\"")
        }
        return Revocation(files.revocation, lists)
    }

    /// Nil after noting why there is nothing to look at.
    private mutating func revocationLists(
        of file: IdentityFiles.TrustBundleFile, _ role: IdentityFileFlaw.Role
    ) -> [RevocationList]? {
        do throws(FileFlaw) {
            let bytes = try FileContents.read(path: file.path, limitBytes: RevocationList.maximumBytes).bytes
            // A list in DER begins with a SEQUENCE, whose tag is no letter and no dash.
            guard bytes.first != 0x30 else { return parsed(bytes, file, role).map { [$0] } }
            do throws(PEMFlaw) {
                let blocks = try PEMBlock.parse(bytes).filter { $0.label == "X509 CRL" }
                let lists = blocks.compactMap { parsed($0.bytes, file, role) }
                return lists.count == blocks.count ? lists : nil
            } catch {
                note(file.path, role, "is not PEM: \(error)")
            }
        } catch {
            note(file.path, role, "\(error)")
        }
        return nil
    }

    private mutating func parsed(
        _ der: [UInt8], _ file: IdentityFiles.TrustBundleFile, _ role: IdentityFileFlaw.Role
    ) -> RevocationList? {
        do throws(RevocationListFlaw) {
            return try RevocationList(parsing: der)
        } catch {
            note(file.path, role, "\(error)")
            return nil
        }
    }

    private mutating func checkAge(
        _ list: RevocationList, of file: IdentityFiles.TrustBundleFile, _ role: IdentityFileFlaw.Role,
        _ mode: Revocation.Mode
    ) {
        guard let nextUpdate = list.nextUpdate, now > nextUpdate else { return }
        let effect =
            mode == .required ? "peers of its issuer are refused" : "whoever stands in it is refused all the same"
        note(file.path, role, "a list ended at \(CivilTime.rfc3339(unixSeconds: nextUpdate)); \(effect)", .warning)
    }

    /// A list in an anchor's name that the anchor did not sign is a mistake, or worse.
    private mutating func checkIssuers(
        _ lists: [RevocationList], of file: IdentityFiles.TrustBundleFile, _ role: IdentityFileFlaw.Role,
        _ bundles: [TrustBundle]
    ) {
        guard let bundle = bundles.first(where: { $0.trustDomain == file.trustDomain }),
            let anchors = try? CertificateStack(bundle.certificates)
        else { return }
        for list in lists {
            let named = (0..<anchors.count).filter { unsafe RevocationCheck.isNamed(list, anchors.certificate(at: $0)) }
            guard !named.isEmpty else { continue }
            let isOwn = named.contains { index in
                unsafe RevocationCheck.isOwn(list, of: anchors.certificate(at: index), bundle.certificates[index])
            }
            if !isOwn { note(file.path, role, "a list in the name of a certificate of the bundle is not signed by it") }
        }
    }
}
