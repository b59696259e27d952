import COpenSSL
import Identity
import Authority

@testable import TLS
@testable import Crypto
@testable import SVID
import System

/// What the tests know of one authority and what it issued.
struct World {
    let authority: CertificateAuthority
    let domain: TrustDomain

    init(_ domain: String = "example.org", _ request: AuthorityRequest = AuthorityRequest()) throws {
        authority = try CertificateAuthority(trustDomain: domain, request: request)
        self.domain = try TrustDomain(parsing: domain)
    }

    var bundle: TrustBundle { TrustBundle(trustDomain: domain, certificates: [authority.rootDER]) }

    func material(
        _ path: String = "/ns/default/sa/server", trusting others: [TrustBundle] = []
    ) throws -> IdentityMaterial {
        try TLSTests.material(authority.issue(path: path), trusting: [bundle] + others)
    }
}

/// A material of certificates that `IdentityMaterial.load` might refuse.
func material(
    _ certificate: IssuedCertificate, trusting bundles: [TrustBundle]
) throws -> IdentityMaterial {
    let id = (try? CertificateFields(parsing: certificate.leafDER.span).leafIdentity())
    var key = certificate.key.pkcs8DER
    return try IdentityMaterial(
        id: id ?? SPIFFEID(parsing: "spiffe://example.org/unusable"), notBefore: 0, notAfter: .max,
        chain: certificate.chainDER, trustBundles: bundles, revocation: Revocation(.off),
        privateKey: PrivateKeyBytes(consuming: &key))
}

func now() -> Int64 { WallClock.seconds() }

extension TLSContext {
    static func server(
        _ material: IdentityMaterial, _ options: TLSOptions = TLSOptions(), protocols: [String] = [],
        clock: @escaping @Sendable () -> Int64 = now
    ) throws -> TLSContext {
        try TLSContext(accepting: material, options: options, applicationProtocols: protocols, clock: clock)
    }

    static func client(
        _ material: IdentityMaterial, _ options: TLSOptions = TLSOptions(), protocols: [String] = [],
        serverName: String? = nil, accepting: @escaping @Sendable (SPIFFEID) -> Bool = { _ in true },
        clock: @escaping @Sendable () -> Int64 = now, maxVersion: TLSVersion = .tls13
    ) throws -> TLSContext {
        let context = try TLSContext(
            dialling: material, options: options, applicationProtocols: protocols, serverName: serverName,
            acceptPeer: accepting, clock: clock)
        // Safe: the context is alive.
        if maxVersion == .tls12 { unsafe _ = postern_ctx_set_max_version(context.pointer, TLS1_2_VERSION) }
        return context
    }
}
