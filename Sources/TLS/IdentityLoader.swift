import COpenSSL
import Identity
import System
import Telemetry

/// Reads identity files and collects every flaw.
struct IdentityLoader {
    let now: Int64
    private(set) var flaws: [IdentityFileFlaw] = []

    init(now: Int64) {
        self.now = now
    }

    mutating func load(_ files: IdentityFiles, generation: UInt64) -> IdentityMaterial? {
        let bundles = loadBundles(files.trustBundles)
        let revocation = loadRevocation(files, bundles)
        let chain = loadChain(files.certificate)
        let key = loadKey(files.privateKey)
        if let chain, let key { checkMatch(chain, key, files) }
        if let chain { checkTrust(chain, bundles, revocation, files) }
        guard let chain, let key else { return nil }
        return IdentityMaterial(
            id: chain.id, notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter, generation: generation,
            chain: chain.certificates, trustBundles: bundles, revocation: revocation,
            privateKey: key)
    }
}

/// An SVID that keeps the rules of a leaf, with its intermediates; not yet verified against a bundle.
private struct OwnChain {
    let certificates: [[UInt8]]
    let leaf: CertificateFields
    let id: SPIFFEID
}

// MARK: The certificate

extension IdentityLoader {
    private mutating func loadChain(_ path: String) -> OwnChain? {
        guard let certificates = certificates(of: path, role: .certificate) else { return nil }
        guard let leafDER = certificates.first else {
            note(path, .certificate, "has no certificate in it")
            return nil
        }
        let bytes = certificates.reduce(0) { $0 + $1.count }
        if bytes > IdentityMaterial.maximumChainBytes {
            note(path, .certificate, "the chain has \(bytes) bytes; peers accept \(IdentityMaterial.maximumChainBytes)")
        }
        if certificates.count > PeerVerifier.maximumPresentedCertificates {
            let limit = PeerVerifier.maximumPresentedCertificates
            note(path, .certificate, "has \(certificates.count) certificates; peers accept \(limit)")
        }
        do throws(SVIDRefusal) {
            let fields = try CertificateFields(parsing: leafDER.span)
            let id = try fields.leafIdentity()
            checkValidity(fields, path)
            return OwnChain(certificates: certificates, leaf: fields, id: id)
        } catch {
            note(path, .certificate, "the first certificate is not an SVID that peers accept: \(error.rawValue)")
            return nil
        }
    }

    private mutating func checkValidity(_ fields: CertificateFields, _ path: String) {
        if now > fields.notAfter {
            note(path, .certificate, "the SVID expired at \(CivilTime.rfc3339(unixSeconds: fields.notAfter))")
        } else if now < fields.notBefore {
            note(path, .certificate, "the SVID is not valid before \(CivilTime.rfc3339(unixSeconds: fields.notBefore))")
        }
    }

    /// Verifies the SVID as a peer of its own trust domain would.
    private mutating func checkTrust(
        _ chain: OwnChain, _ bundles: [TrustBundle], _ revocation: Revocation, _ files: IdentityFiles
    ) {
        let domain = chain.id.trustDomain
        guard files.trustBundles.contains(where: { $0.trustDomain == domain }) else {
            note(files.certificate, .certificate, "there is no trust bundle for the SVID's trust domain \"\(domain)\"")
            return
        }
        // A bundle that is named but did not load has its own flaw, and so has the SVID's own validity.
        guard bundles.contains(where: { $0.trustDomain == domain }) else { return }
        guard (chain.leaf.notBefore...max(chain.leaf.notBefore, chain.leaf.notAfter)).contains(now) else { return }
        let against = "does not verify against the bundle of its own trust domain"
        do throws(TLSFault) {
            if let refusal = try refusal(of: chain, bundles, Revocation(.off)) {
                note(files.certificate, .certificate, "the SVID \(against): \(refusal.rawValue)")
            } else if let refusal = try refusal(of: chain, bundles, revocation) {
                // No error: a list must be taken all the more if it names this SVID, too.
                note(files.certificate, .certificate, "peers may refuse the SVID: \(refusal.rawValue)", .warning)
            }
        } catch {
            note(files.certificate, .certificate, error.description)
        }
    }

    private func refusal(
        of chain: OwnChain, _ bundles: [TrustBundle], _ revocation: Revocation
    ) throws(TLSFault) -> SVIDRefusal? {
        let now = now
        let verifier = try PeerVerifier(
            bundles: bundles, revocation: revocation, acceptPeer: nil, generations: SessionGenerations(identity: 0),
            clock: { now })
        return try verifier.refusal(ofOwnChain: chain.certificates)
    }
}

// MARK: The key

extension IdentityLoader {
    private mutating func loadKey(_ path: String) -> PrivateKeyBytes? {
        guard var blocks = blocks(of: path, role: .privateKey) else { return nil }
        defer { for index in blocks.indices { FileContents.overwrite(&blocks[index].bytes) } }
        if blocks.contains(where: { $0.hasEncryptionHeader || $0.label == "ENCRYPTED PRIVATE KEY" }) {
            let remedy = "decrypt it with \"openssl pkey -in FILE -out FILE\" and protect it with file permissions"
            note(path, .privateKey, "the key is encrypted; \(remedy)")
            return nil
        }
        let keys = blocks.indices.filter { blocks[$0].label.hasSuffix("PRIVATE KEY") }
        guard let index = keys.first else {
            note(path, .privateKey, "has no private key in it")
            return nil
        }
        guard keys.count == 1 else {
            note(path, .privateKey, "has \(keys.count) private keys in it; which one is meant?")
            return nil
        }
        let bytes = PrivateKeyBytes(consuming: &blocks[index].bytes)
        do throws(TLSFault) {
            let key = try bytes.makeKey()
            guard let problem = key.problem else { return bytes }
            note(path, .privateKey, problem)
        } catch {
            note(path, .privateKey, "the private key cannot be parsed")
        }
        return nil
    }

    private mutating func checkMatch(_ chain: OwnChain, _ bytes: PrivateKeyBytes, _ files: IdentityFiles) {
        do throws(TLSFault) {
            let key = try bytes.makeKey()
            let certificates = try CertificateStack([chain.certificates[0]])
            // Safe: both are alive here.
            guard unsafe !key.matches(certificate: certificates.certificate(at: 0)) else { return }
            note(files.privateKey, .privateKey, "the key does not match the certificate \(files.certificate)")
        } catch {
            note(files.certificate, .certificate, "the certificate's public key cannot be used")
        }
    }
}

// MARK: Bundles and files

extension IdentityLoader {
    private mutating func loadBundles(_ files: [IdentityFiles.TrustBundleFile]) -> [TrustBundle] {
        var bundles: [TrustBundle] = []
        for file in files {
            let role = IdentityFileFlaw.Role.trustBundle(file.trustDomain)
            guard !bundles.contains(where: { $0.trustDomain == file.trustDomain }) else {
                note(file.path, role, "the trust domain \"\(file.trustDomain)\" has a bundle already")
                continue
            }
            guard let certificates = certificates(of: file.path, role: role) else { continue }
            guard !certificates.isEmpty else {
                note(file.path, role, "the bundle is empty: no peer of \"\(file.trustDomain)\" could be trusted")
                continue
            }
            checkAnchors(certificates, of: file)
            bundles.append(TrustBundle(trustDomain: file.trustDomain, certificates: certificates))
        }
        return bundles
    }

    private mutating func checkAnchors(_ certificates: [[UInt8]], of file: IdentityFiles.TrustBundleFile) {
        let role = IdentityFileFlaw.Role.trustBundle(file.trustDomain)
        for (index, der) in certificates.enumerated() {
            do throws(SVIDRefusal) {
                let fields = try CertificateFields(parsing: der.span)
                try fields.checkSigning(of: file.trustDomain)
                guard now > fields.notAfter else { continue }
                note(file.path, role, "certificate \(index + 1) of the bundle has expired", .warning)
            } catch {
                note(file.path, role, "certificate \(index + 1) of the bundle cannot sign SVIDs: \(error.rawValue)")
            }
        }
    }

    /// The DER of every certificate in a PEM file, or nil after noting why there is none to look at.
    private mutating func certificates(of path: String, role: IdentityFileFlaw.Role) -> [[UInt8]]? {
        guard let blocks = blocks(of: path, role: role) else { return nil }
        let certificates = blocks.filter { $0.label == "CERTIFICATE" }.map(\.bytes)
        for (index, der) in certificates.enumerated() where (try? CertificateStack([der])) == nil {
            note(path, role, "certificate \(index + 1) cannot be parsed")
            return nil
        }
        return certificates
    }

    private mutating func blocks(of path: String, role: IdentityFileFlaw.Role) -> [PEMBlock]? {
        do throws(FileFlaw) {
            var file = try FileContents.read(path: path)
            defer { if role == .privateKey { FileContents.overwrite(&file.bytes) } }
            if role == .privateKey, file.readableByOthers {
                note(path, role, "the key can be read by other users; \"chmod 600\" it", .warning)
            }
            do throws(PEMFlaw) {
                return try PEMBlock.parse(file.bytes)
            } catch {
                note(path, role, "is not PEM: \(error)")
            }
        } catch {
            note(path, role, "\(error)")
        }
        return nil
    }

    mutating func note(
        _ path: String, _ role: IdentityFileFlaw.Role, _ message: String, _ severity: IdentityFileFlaw.Severity = .error
    ) {
        flaws.append(IdentityFileFlaw(path: path, role: role, severity: severity, message: message))
    }
}
