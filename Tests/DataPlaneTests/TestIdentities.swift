import Authority
import SVID
import TLSTesting

/// The identities of the simulated tests, made once: keys of fixed size, so that a seed is one run.
struct TestIdentities: Sendable {
    let server: IdentityMaterial
    let allowed: IdentityMaterial
    let intruder: IdentityMaterial
    /// Of another authority that claims the same trust domain.
    let forged: IdentityMaterial
    /// The server with a bundle of another authority.
    let elsewhere: IdentityMaterial

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
    }
}
