import Identity
import TLSTesting
import Testing
@testable import Crypto

@testable import TLS
@testable import Authority
@testable import SVID

@Suite("A peer's certificate is refused")
struct PeerRefusalTests {
    @Test("by the accepting side, which says why and sends the alert that fits", arguments: WrongCertificate.all)
    func accepting(wrong: WrongCertificate) throws {
        let world = try World()
        var pair = try Pair(
            client: .client(material(wrong.make(world), trusting: [world.bundle])), server: .server(world.material()))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.client.opened == .failed(.peerAlert(wrong.alert)))
        #expect(pair.server.session.peer == nil)
    }

    @Test("by the dialling side, before its own certificate is sent", arguments: WrongCertificate.all)
    func dialling(wrong: WrongCertificate) throws {
        let world = try World()
        var pair = try Pair(
            client: .client(world.material()), server: .server(material(wrong.make(world), trusting: [world.bundle])))
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.server.outcome == .failed(.peerAlert(wrong.alert)))
        #expect(pair.client.session.peer == nil)
    }

    @Test("in TLS 1.2 as well", arguments: WrongCertificate.leaves)
    func oldVersion(wrong: WrongCertificate) throws {
        let world = try World()
        let options = TLSOptions(minVersion: .tls12)
        var pair = try Pair(
            client: .client(material(wrong.make(world), trusting: [world.bundle]), options, maxVersion: .tls12),
            server: .server(world.material(), options))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.client.outcome == .failed(.peerAlert(wrong.alert)))
    }

    @Test("when another trusted domain's authority signed it")
    func bundlesAreNeverPooled() throws {
        let world = try World()
        let other = try World("other.test")
        // A trusted authority of other.test vouches for a name of example.org.
        let forged = try other.authority.issue(
            LeafRequest().with { $0.subjectAltNames = [.uri("spiffe://example.org/client")] })
        var pair = try Pair(
            client: .client(material(forged, trusting: [world.bundle])),
            server: .server(world.material(trusting: [other.bundle])))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.unknownAuthority)))
        #expect(pair.client.opened == .failed(.peerAlert(48)))
    }

    @Test("when its keys are under 112 bits", arguments: [true, false])
    func weakKeys(ofSigner: Bool) throws {
        let world = try World("example.org", AuthorityRequest(keyKind: ofSigner ? .rsa1024 : .p256))
        let certificate = try world.authority.issue(LeafRequest(keyKind: ofSigner ? .p256 : .rsa1024))
        let verifier = try SVIDVerifier(bundles: [world.bundle], clock: now)
        #expect(try verifier.refusal(ofOwn: certificate.chainDER) == .weakKey)
    }

    @Test("with a reason of its own when it is signed over a weak digest, however strong its key")
    func weakDigest() throws {
        // X509_V_ERR_CA_MD_TOO_WEAK of <openssl/x509_vfy.h>; the throw-away authority signs over no such digest.
        let fault = ChainFault(verificationCode: 68, at: nil)
        #expect(try SVIDRefusal(fault, TrustDomain(parsing: "example.org")) == .weakSignature)
        #expect(SVIDRefusal.weakSignature.verificationCode == SVIDRefusal.weakKey.verificationCode)
    }

    @Test("when it is itself what the bundle holds")
    func leafInBundle() throws {
        let world = try World()
        let leaf = try CertificateAuthority.selfSigned(trustDomain: "example.org", LeafRequest())
        let bundle = TrustBundle(trustDomain: world.domain, certificates: [leaf.leafDER])
        let verifier = try SVIDVerifier(bundles: [bundle], clock: now)
        #expect(try verifier.refusal(ofOwn: leaf.chainDER) == .unknownAuthority)
    }

    @Test("when the dialling side expects someone else, before its own certificate is sent")
    func identityNotExpected() throws {
        let world = try World()
        var pair = try Pair(
            client: .client(world.material("/client"), accepting: { $0.path == "/expected" }),
            server: .server(world.material("/server")))
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(.identityNotExpected)))
        #expect(pair.server.outcome == .failed(.peerAlert(42)))
    }

    @Test("when the clock has passed a certificate that was good a moment ago")
    func clock() throws {
        let world = try World()
        let later = now() + 25 * 3_600
        var pair = try Pair(
            client: .client(world.material("/client")), server: .server(world.material(), clock: { later }))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.expired)))
    }
}
