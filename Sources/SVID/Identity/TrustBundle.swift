import Crypto
import System
public import Identity

/// The trust anchors of one trust domain, as DER; bundles are never pooled.
public struct TrustBundle: Hashable, Sendable {
    public let trustDomain: TrustDomain
    public let certificates: [[UInt8]]

    init(trustDomain: TrustDomain, certificates: [[UInt8]]) {
        self.trustDomain = trustDomain
        self.certificates = certificates
    }

    /// Published authorities: each must be a certificate that may sign SVIDs of the trust domain (X509-SVID, sections
    /// 4.1 and 4.3). An empty bundle trusts nobody.
    public init(checking authorities: [[UInt8]], of trustDomain: TrustDomain) throws(TrustBundleFlaw) {
        guard authorities.count <= Self.certificatesAtMost else { throw .tooMany(authorities.count) }
        for (index, der) in authorities.enumerated() {
            guard (try? Certificate(parsing: der)) != nil else { throw .notACertificate(number: index + 1) }
            do throws(SVIDRefusal) {
                try CertificateFields(parsing: der.span).checkSigning(of: trustDomain)
            } catch {
                throw .cannotSign(number: index + 1, error)
            }
        }
        self.init(trustDomain: trustDomain, certificates: authorities)
    }

    /// Trusts nobody.
    public static func empty(of trustDomain: TrustDomain) -> TrustBundle {
        TrustBundle(trustDomain: trustDomain, certificates: [])
    }

    /// The same of a bundle that is to trust somebody.
    init(trusting authorities: [[UInt8]], of trustDomain: TrustDomain) throws(TrustBundleFlaw) {
        guard !authorities.isEmpty else { throw .empty(trustDomain) }
        try self.init(checking: authorities, of: trustDomain)
    }

    /// The authorities in a PEM file, at least one.
    public init(reading path: String, of trustDomain: TrustDomain) throws(IdentityFlaw) {
        let part = IdentityFlaw.Part.trustBundle(trustDomain)
        let authorities = try IdentityFiles.blocks(of: path, part).filter { $0.label == "CERTIFICATE" }.map(\.bytes)
        do throws(TrustBundleFlaw) {
            try self.init(trusting: authorities, of: trustDomain)
        } catch {
            throw IdentityFlaw(part, "\(error)", path: path)
        }
    }

    /// Which of the authorities have expired, by their indices.
    func expired(at now: Int64) -> [Int] {
        certificates.indices.filter { index in
            let der = certificates[index]
            guard let fields = try? CertificateFields(parsing: der.span) else { return false }
            return now > fields.notAfter
        }
    }

    private static let certificatesAtMost = 1_024
}

/// Why authorities do not form a trust bundle.
public enum TrustBundleFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case empty(TrustDomain)
    case tooMany(Int)
    case notACertificate(number: Int)
    case cannotSign(number: Int, SVIDRefusal)

    public var description: String {
        switch self {
        case .empty(let domain): "the bundle is empty: no peer of \"\(domain)\" could be trusted"
        case .tooMany(let count): "the bundle has \(count) certificates"
        case .notACertificate(let number): "certificate \(number) of the bundle cannot be parsed"
        case .cannotSign(let number, let refusal):
            "certificate \(number) of the bundle cannot sign SVIDs: \(refusal.rawValue)"
        }
    }
}

extension IdentityMaterial {
    /// The same identity, trusting these bundles instead of its own of the same trust domains; an empty one means that
    /// the domain is not trusted at all.
    public func adding(_ bundles: [TrustBundle]) -> IdentityMaterial {
        let added = Set(bundles.map(\.trustDomain))
        return trusting(
            trustBundles.filter { !added.contains($0.trustDomain) } + bundles.filter { !$0.certificates.isEmpty })
    }

    /// The same identity, trusting what `other` does.
    public func trustingLike(_ other: IdentityMaterial) -> IdentityMaterial {
        IdentityMaterial(
            id: id, notBefore: notBefore, notAfter: notAfter, chain: chain, trustBundles: other.trustBundles,
            revocation: other.revocation, privateKey: privateKey)
    }

    /// The same identity, trusting these bundles alone.
    public func trusting(_ bundles: [TrustBundle]) -> IdentityMaterial {
        IdentityMaterial(
            id: id, notBefore: notBefore, notAfter: notAfter, chain: chain, trustBundles: bundles,
            revocation: revocation, privateKey: privateKey)
    }
}
