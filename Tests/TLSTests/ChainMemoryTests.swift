import COpenSSL
import Identity
import Synchronization
import TLSTesting
import Testing

@testable import Authority
@testable import TLS
@testable import Crypto
@testable import SVID

@Suite("A remembered chain")
struct ChainMemoryTests {
    private func handshake(_ client: TLSContext, _ server: TLSContext) throws -> HandshakeOutcome {
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        return pair.server.outcome
    }

    @Test(
        "is forgotten when a certificate of its path expires, be it the leaf or its signer", arguments: [true, false])
    func expiry(ofSigner: Bool) throws {
        let world = try World()
        let clock = ManualClock()
        let signer = try world.authority.intermediate(
            AuthorityRequest(validity: .seconds(ofSigner ? 600 : 86_400)))
        let leaf = try signer.issue(LeafRequest(path: "/client", validity: .seconds(ofSigner ? 86_400 : 600)))
        let client = try TLSContext.client(material(leaf, trusting: [world.bundle]))
        let server = try TLSContext.server(world.material(), clock: clock.read)
        for _ in 0..<3 { #expect(try handshake(client, server) == .complete) }
        clock.advance(bySeconds: 700)
        #expect(try handshake(client, server) == .failed(.refused(.expired)))
        clock.advance(bySeconds: -700)
        #expect(try handshake(client, server) == .complete)
        clock.advance(bySeconds: -1_000)
        #expect(try handshake(client, server) == .failed(.refused(.notYetValid)))
    }

    @Test("does not vouch for a chain with any byte changed")
    func otherChain() throws {
        let world = try World()
        let good = try world.authority.issue(path: "/client")
        let server = try TLSContext.server(world.material())
        #expect(try handshake(.client(material(good, trusting: [world.bundle])), server) == .complete)
        var forged = good.leafDER
        forged[forged.count - 1] ^= 1
        let bad = IssuedCertificate(chainDER: [forged], key: good.key)
        let outcome = try handshake(.client(material(bad, trusting: [world.bundle])), server)
        #expect(outcome == .failed(.refused(.badSignature)))
    }

    @Test("does not vouch for a peer without the leaf's key")
    func otherKey() throws {
        let world = try World()
        let good = try world.authority.issue(path: "/client")
        let server = try TLSContext.server(world.material())
        #expect(try handshake(.client(material(good, trusting: [world.bundle])), server) == .complete)
        // A thief has only the certificate: the public half of the key, beside a secret of its own.
        var pkcs8 = good.key.pkcs8DER
        pkcs8[pkcs8.count - 107 + 10] ^= 1
        let stolen = IdentityMaterial(
            id: try SPIFFEID(parsing: "spiffe://example.org/client"), notBefore: 0, notAfter: .max,
            chain: good.chainDER, trustBundles: [world.bundle], revocation: Revocation(.off),
            privateKey: PrivateKeyBytes(consuming: &pkcs8))
        let outcome = try handshake(.client(stolen), server)
        #expect(outcome == .failed(.misbehaved(.badHandshakeSignature)))
    }

    @Test("stands for its intermediates: of a chain that comes again, only the leaf is parsed")
    func intermediates() throws {
        let world = try World()
        let good = try world.authority.intermediate().intermediate().issue(path: "/client")
        let server = try TLSContext.server(world.material())
        countParsedIntermediates(of: server)
        let client = try TLSContext.client(material(good, trusting: [world.bundle]))
        for round in 0..<3 {
            var pair = try Pair(client: client, server: server)
            pair.handshake()
            try #require(pair.server.outcome == .complete)
            #expect(pair.server.session.peer?.id.description == "spiffe://example.org/client")
            #expect(parsedIntermediates(of: server) == (round == 0 ? 2 : 0))
            _ = pair.send(fromClient: [1])
            #expect(pair.server.plaintext == [1])
        }
        var pkcs8 = good.key.pkcs8DER
        pkcs8[pkcs8.count - 107 + 10] ^= 1
        let stolen = IdentityMaterial(
            id: try SPIFFEID(parsing: "spiffe://example.org/client"), notBefore: 0, notAfter: .max,
            chain: good.chainDER, trustBundles: [world.bundle], revocation: Revocation(.off),
            privateKey: PrivateKeyBytes(consuming: &pkcs8))
        #expect(try handshake(.client(stolen), server) == .failed(.misbehaved(.badHandshakeSignature)))
        for index in good.chainDER.indices {
            var chain = good.chainDER
            chain[index][chain[index].count - 1] ^= 1
            let forged = IssuedCertificate(chainDER: chain, key: good.key)
            let outcome = try handshake(.client(material(forged, trusting: [world.bundle])), server)
            #expect(outcome == .failed(.refused(.badSignature)))
        }
    }

    /// Makes OpenSSL report, when a handshake of `context` is done, how many of the peer's intermediates it parsed.
    private func countParsedIntermediates(of context: TLSContext) {
        // Safe: OpenSSL passes a live SSL. The number stands in a slot of our own, one above itself, since 0 means that
        // it is empty. A server's list leaves the leaf out.
        unsafe SSL_CTX_set_info_callback(context.pointer) { ssl, event, _ in
            guard event == SSL_CB_HANDSHAKE_DONE else { return }
            let parsed = unsafe Int(max(0, OPENSSL_sk_num(SSL_get_peer_cert_chain(ssl))))
            let number = unsafe UnsafeMutableRawPointer(bitPattern: parsed + 1)
            unsafe SSL_CTX_set_ex_data(SSL_get_SSL_CTX(ssl), ChainMemoryTests.slot, number)
        }
    }

    private func parsedIntermediates(of context: TLSContext) -> Int {
        // Safe: the context is alive.
        unsafe Int(bitPattern: SSL_CTX_get_ex_data(context.pointer, Self.slot)) - 1
    }

    private static let slot = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil, nil)

    @Test("is checked again by each dialling side, which may accept other identities")
    func acceptance() throws {
        let world = try World()
        let leaf = try world.authority.issue(path: "/server")
        let expected = Mutex("/server")
        let verifier = try SVIDVerifier(
            bundles: [world.bundle], acceptPeer: { id in expected.withLock { id.path == $0 } },
            clock: now)
        #expect(try verifier.refusal(ofOwn: leaf.chainDER) == nil)
        expected.withLock { $0 = "/other" }
        #expect(try verifier.refusal(ofOwn: leaf.chainDER) == .identityNotExpected)
    }
}
