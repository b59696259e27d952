public import Identity
import System

/// The trust anchors of one trust domain, as DER; bundles are never pooled.
public struct TrustBundle: Hashable, Sendable {
    public let trustDomain: TrustDomain
    public let certificates: [[UInt8]]

    init(trustDomain: TrustDomain, certificates: [[UInt8]]) {
        self.trustDomain = trustDomain
        self.certificates = certificates
    }

    /// Authorities that someone publishes: each must be a certificate that may sign SVIDs of the trust domain.
    public init(checking authorities: [[UInt8]], of trustDomain: TrustDomain) throws(IssuedIdentityFlaw) {
        for (index, der) in authorities.enumerated() {
            guard (try? CertificateStack([der])) != nil else {
                throw IssuedIdentityFlaw("authority \(index + 1) is no certificate")
            }
            do throws(SVIDRefusal) {
                try CertificateFields(parsing: der.span).checkSigning(of: trustDomain)
            } catch {
                throw IssuedIdentityFlaw(
                    "authority \(index + 1) cannot sign SVIDs of \"\(trustDomain)\": \(error.rawValue)")
            }
        }
        self.init(trustDomain: trustDomain, certificates: authorities)
    }

    /// The authorities in a PEM file, one at least.
    public init(reading path: String, of trustDomain: TrustDomain) throws(IssuedIdentityFlaw) {
        let blocks: [PEMBlock]
        do throws(FileFlaw) {
            let text = try FileContents.read(path: path).bytes
            guard let found = try? PEMBlock.parse(text) else { throw FileFlaw.notAFile }
            blocks = found
        } catch {
            throw IssuedIdentityFlaw("\(path): \(error)")
        }
        let certificates = blocks.filter { $0.label == "CERTIFICATE" }.map(\.bytes)
        guard !certificates.isEmpty else { throw IssuedIdentityFlaw("\(path): has no certificate in it") }
        try self.init(checking: certificates, of: trustDomain)
    }
}

extension IdentityMaterial {
    /// The same identity, trusting these bundles instead of its own of the same trust domains.
    public func adding(_ bundles: [TrustBundle]) -> IdentityMaterial {
        let added = Set(bundles.map(\.trustDomain))
        return trusting(trustBundles.filter { !added.contains($0.trustDomain) } + bundles)
    }

    /// The same identity, trusting these bundles alone.
    public func trusting(_ bundles: [TrustBundle]) -> IdentityMaterial {
        IdentityMaterial(
            id: id, notBefore: notBefore, notAfter: notAfter, generation: generation, chain: chain,
            trustBundles: bundles, revocation: revocation, privateKey: privateKey)
    }
}
