public import Authority
import Identity
import PosternTesting
public import System
public import SVID

extension CertificateAuthority {
    /// An identity that this authority issues and that trusts this authority alone, read from files as a proxy does it.
    ///
    /// - Parameter now: in Unix seconds.
    public func material(_ request: LeafRequest, now: Int64 = WallClock.seconds()) throws -> IdentityMaterial {
        let folder = try TemporaryFolder("identity")
        let (certificate, key) = (folder.file("svid.pem"), folder.file("svid.key"))
        try issue(request).write(certificate: certificate, privateKey: key)
        let bundle = try folder.write(bundlePEM, to: "bundle.pem")
        let files = IdentityFiles(
            certificate: certificate, privateKey: key,
            trustBundles: [.init(trustDomain: try TrustDomain(parsing: trustDomain), path: bundle)])
        let outcome = IdentityMaterial.load(files, now: now)
        guard let material = outcome.material else { throw UnusableIdentity(flaws: outcome.flaws) }
        return material
    }
}

/// A proxy would not take the identity that was issued.
public struct UnusableIdentity: Error {
    public let flaws: [IdentityFlaw]
}
