import Identity
import TLSTesting
import Testing

@testable import TLS
@testable import Authority
@testable import Crypto
@testable import SVID

@Suite("A peer's certificate is accepted")
struct PeerAcceptanceTests {
    static let good: [WrongCertificate] = [
        .leaf(.noCertificate, 0, "no extended key usage") { $0.extendedKeyUsage = nil },
        .leaf(.noCertificate, 0, "an unknown extension that is not critical") {
            $0.extensions = [.unknown(critical: false)]
        },
        .leaf(.noCertificate, 0, "a DNS name beside the ID") {
            $0.subjectAltNames = [.dns("a.example.org"), .uri("spiffe://example.org/a")]
        },
        .leaf(.noCertificate, 0, "an RSA key") { $0.keyKind = .rsa2048 },
        .leaf(.noCertificate, 0, "a P-384 key") { $0.keyKind = .p384 },
        .leaf(.noCertificate, 0, "an Ed25519 key") { $0.keyKind = .ed25519 },
        .signer(
            .noCertificate, 0, "a signer constrained to its trust domain",
            AuthorityRequest(nameConstraints: NameConstraints(permittedURIHosts: ["example.org"]))),
        .signer(.noCertificate, 0, "a signer without an ID", AuthorityRequest(subjectAltNames: [])),
        .signer(.noCertificate, 0, "a signer with an RSA key", AuthorityRequest(keyKind: .rsa2048)),
        WrongCertificate(.noCertificate, 0, "five intermediates") {
            var authority = $0.authority
            for number in 1...5 {
                authority = try authority.intermediate(AuthorityRequest(commonName: "level \(number)"))
            }
            return try authority.issue()
        },
        WrongCertificate(.noCertificate, 0, "its root sent along") {
            let good = try $0.authority.issue()
            return IssuedCertificate(chainDER: good.chainDER + [$0.authority.rootDER], key: good.key)
        },
    ]

    @Test("by both sides, with every variety that the rules allow", arguments: good)
    func accepted(good: WrongCertificate) throws {
        let world = try World()
        let certificate = try good.make(world)
        var pair = try Pair(
            client: .client(material(certificate, trusting: [world.bundle])),
            server: .server(material(certificate, trusting: [world.bundle])))
        pair.handshake()
        #expect(pair.client.outcome == .complete)
        #expect(pair.server.outcome == .complete)
    }

    @Test("from an anchor that is an intermediate and not self-signed")
    func partialChain() throws {
        let world = try World()
        let intermediate = try world.authority.intermediate()
        let leaf = try intermediate.issue(path: "/client")
        let bundle = TrustBundle(trustDomain: world.domain, certificates: [intermediate.certificateDER])
        let verifier = try SVIDVerifier(bundles: [bundle], clock: now)
        #expect(try verifier.refusal(ofOwn: [leaf.leafDER]) == nil)
    }

    @Test("from another trust domain that has a bundle of its own")
    func federated() throws {
        let world = try World()
        let partner = try World("partner.test")
        var pair = try Pair(
            client: .client(partner.material("/client", trusting: [world.bundle])),
            server: .server(world.material(trusting: [partner.bundle])))
        pair.handshake()
        #expect(pair.server.outcome == .complete)
        #expect(pair.server.session.peer?.id.description == "spiffe://partner.test/client")
    }

    @Test("and the access log gets its serial number, digest and expiry")
    func details() throws {
        let world = try World()
        let certificate = try world.authority.issue(
            LeafRequest(path: "/client").with { $0.serialNumber = [0x1a, 0x2b, 0x03] })
        var pair = try Pair(
            client: .client(material(certificate, trusting: [world.bundle])), server: .server(world.material()))
        pair.handshake()
        let found = pair.server.session.peer
        let peer = try #require(found)
        #expect(peer.serialHex == "1a2b03")
        #expect(peer.sha256Hex == Digest256(sha256: certificate.leafDER).map { Hex.text($0.bytes) })
        #expect(try peer.notAfter == CertificateFields(parsing: certificate.leafDER.span).notAfter)
        #expect(peer.chainNotAfter == peer.notAfter)
    }
}
