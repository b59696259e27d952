import Authority
import Crypto
import Identity
import TLSTesting
@testable import SVID

/// The identities of the simulated tests, made once: keys of fixed size, so that a seed is one run.
struct TestIdentities: Sendable {
    let server: IdentityMaterial
    let allowed: IdentityMaterial
    let intruder: IdentityMaterial
    /// Of another authority that claims the same trust domain.
    let forged: IdentityMaterial
    /// The server with a bundle of another authority.
    let elsewhere: IdentityMaterial
    /// The server's next SVID.
    let renewed: IdentityMaterial
    /// The server, which trusts another trust domain, too.
    let trustingMore: IdentityMaterial
    /// The server with a CRL that revokes nobody of these.
    let listing: IdentityMaterial

    static let shared: TestIdentities = {
        do {
            return try TestIdentities()
        } catch {
            preconditionFailure("no test identities: \(error)")
        }
    }()

    init() throws {
        let request = AuthorityRequest(keyKind: .ed25519)
        let authority = try CertificateAuthority(trustDomain: "example.org", request: request)
        let other = try CertificateAuthority(trustDomain: "example.org", request: request)
        let issue = { (authority: CertificateAuthority, name: String) in
            try authority.material(LeafRequest(path: "/ns/default/sa/\(name)", keyKind: .ed25519))
        }
        server = try issue(authority, "server")
        allowed = try issue(authority, "client")
        intruder = try issue(authority, "intruder")
        elsewhere = try issue(other, "server")
        forged = try issue(other, "client")
        renewed = try issue(authority, "server")
        let partner = try CertificateAuthority(trustDomain: "partner.test", request: request)
        let list = try PEMBlock.parse(Array(authority.revocationListPEM(of: [[7]]).utf8))[0].bytes
        let bundle = try TrustBundle(
            checking: [partner.certificateDER], of: TrustDomain(parsing: "partner.test"))
        trustingMore = server.with(bundles: server.trustBundles + [bundle])
        listing = server.with(
            revocation: Revocation(.ifPresent, [server.id.trustDomain: [try RevocationList(parsing: list)]]))
    }
}

extension IdentityMaterial {
    fileprivate func with(bundles: [TrustBundle]? = nil, revocation: Revocation? = nil) -> IdentityMaterial {
        IdentityMaterial(
            id: id, notBefore: notBefore, notAfter: notAfter, chain: chain, trustBundles: bundles ?? trustBundles,
            revocation: revocation ?? self.revocation, privateKey: privateKey)
    }
}
