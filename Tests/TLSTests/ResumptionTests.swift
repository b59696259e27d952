import Identity
import System
import TLSTesting
import Testing

@testable import Authority
@testable import Crypto
@testable import SVID
@testable import TLS

@Suite("Resumption")
struct ResumptionTests {
    private let world: World
    private let clock = ManualClock()
    private let options = TLSOptions(resumption: true)

    init() throws { world = try World() }

    private func server(trusting others: [TrustBundle] = []) throws -> TLSContext {
        try .server(world.material("/server", trusting: others), options, clock: clock.read)
    }

    private func client(
        serverName: String? = nil, accepting: @escaping @Sendable (SPIFFEID) -> Bool = { _ in true },
        lifetimeSeconds: Int64 = 86_400
    ) throws -> TLSContext {
        let certificate = try world.authority.issue(LeafRequest(path: "/client", validity: .seconds(lifetimeSeconds)))
        return try .client(
            material(certificate, trusting: [world.bundle]), options, serverName: serverName, accepting: accepting,
            clock: clock.read)
    }

    /// Does a handshake, sends a byte each way so that tickets arrive, and returns whether both sides resumed.
    private func connect(
        _ client: TLSContext, _ server: TLSContext, endpoint: UInt16? = nil,
        as id: String = "spiffe://example.org/client"
    ) throws -> Bool {
        var pair = try Pair(
            client: client, server: server, endpoint: endpoint.map { SocketAddress(v4: 0x7F00_0001, port: $0) })
        pair.handshake()
        try #require(pair.client.outcome == .complete)
        try #require(pair.server.outcome == .complete)
        _ = pair.send(fromServer: [1])
        _ = pair.send(fromClient: [2])
        #expect(pair.client.plaintext == [1])
        #expect(pair.server.plaintext == [2])
        #expect(pair.server.session.peer?.id.description == id)
        #expect(pair.client.session.peer?.id.description == "spiffe://example.org/server")
        let resumed = (pair.client.session.resumed, pair.server.session.resumed)
        #expect(resumed.0 == resumed.1)
        return resumed.0
    }

    @Test("resumes a session time and again, and both sides still know the other's identity")
    func resumes() throws {
        let (client, server) = try (client(), server())
        #expect(try !connect(client, server))
        for _ in 0..<5 { #expect(try connect(client, server)) }
    }

    @Test("gives the access log the same serial number, digest and expiry as the full handshake")
    func details() throws {
        let (client, server) = try (client(), server())
        var seen: [PeerSVID] = []
        for _ in 0..<2 {
            var pair = try Pair(client: client, server: server)
            pair.handshake()
            _ = pair.send(fromServer: [1])
            let (there, here) = (pair.server.session.peer, pair.client.session.peer)
            try seen += [#require(there), #require(here)]
        }
        for (first, later) in [(seen[0], seen[2]), (seen[1], seen[3])] {
            #expect((first.id, first.serialHex, first.sha256Hex) == (later.id, later.serialHex, later.sha256Hex))
            #expect((first.chainNotAfter, first.verifiedAt) == (later.chainNotAfter, later.verifiedAt))
        }
    }

    @Test(
        "works, or falls back to a full handshake, whatever other peers present besides their leaf",
        arguments: [(300, true), (520, false)])
    func junkChains(handshakes: Int, resumes: Bool) throws {
        let (client, server) = try (client(), server())
        #expect(try !connect(client, server))
        let leaf = try world.authority.issue(path: "/junk")
        let key = try KeyPair.generate(.p256)
        for number in 0..<handshakes {
            var request = LeafRequest(path: "/unrelated/\(number)")
            request.key = key
            let junk = try CertificateAuthority.selfSigned(trustDomain: "example.org", request)
            let chain = IssuedCertificate(chainDER: leaf.chainDER + junk.chainDER, key: leaf.key)
            var pair = try Pair(
                client: .client(material(chain, trusting: [world.bundle]), options, clock: clock.read), server: server)
            pair.handshake()
            try #require(pair.server.outcome == .complete)
        }
        #expect(try connect(client, server) == resumes, "as many sessions are kept")
        for _ in 0..<3 { #expect(try connect(client, server)) }
    }

    @Test("does not happen when either side's setting is off", arguments: [true, false])
    func off(onServer: Bool) throws {
        let plain = TLSOptions(resumption: false)
        let client = try onServer ? client() : .client(world.material("/client"), plain)
        let server = try onServer ? TLSContext.server(world.material("/server"), plain) : server()
        for _ in 0..<3 { #expect(try !connect(client, server)) }
    }

    @Test("offers a session once")
    func singleUse() throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server)
        var first = try Pair(client: client, server: server)
        var second = try Pair(client: client, server: server)
        first.handshake()
        second.handshake()
        let resumed = (first.client.session.resumed, second.client.session.resumed)
        #expect(resumed == (true, false))
    }

    @Test("is unknown to another context, and so to another listener or identity")
    func otherContext() throws {
        let client = try client()
        let (one, other) = try (server(), server())
        _ = try connect(client, one)
        #expect(try !connect(client, other))
    }

    @Test("goes on in a context that takes the place of another, for the peers that are still accepted")
    func continued() throws {
        let partner = try World("partner.test")
        let material = try world.material("/server", trusting: [partner.bundle])
        func context(_ material: IdentityMaterial, _ continuing: TLSContext? = nil) throws -> TLSContext {
            try TLSContext(
                accepting: material, options: options, applicationProtocols: [], continuing: continuing,
                clock: clock.read)
        }
        let first = try context(material)
        let clientMaterial = try world.material("/client")
        let own = try TLSContext.client(clientMaterial, options, clock: clock.read)
        let foreign = try TLSContext.client(
            partner.material("/client", trusting: [world.bundle]), options, clock: clock.read)
        for (client, id) in [(own, "spiffe://example.org/client"), (foreign, "spiffe://partner.test/client")] {
            #expect(try !connect(client, first, as: id))
            #expect(try connect(client, first, as: id))
        }
        // Nothing but the partner's bundle is gone.
        let second = try context(material.trusting([world.bundle]), first)
        #expect(try connect(own, second))
        var pair = try Pair(client: foreign, server: second)
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.unknownTrustDomain)))
        // And a client's sessions go on in the same way.
        let next = try TLSContext(
            dialling: clientMaterial.trusting([world.bundle, partner.bundle]), options: options,
            applicationProtocols: [], serverName: nil, continuing: own, acceptPeer: { _ in true }, clock: clock.read)
        #expect(try connect(next, second))
    }

    @Test("is revoked by a CRL that the context which takes its place knows")
    func continuedAndRevoked() throws {
        let material = try world.material("/server")
        let first = try TLSContext.server(material, options, clock: clock.read)
        let client = try client()
        _ = try connect(client, first)
        #expect(try connect(client, first))
        let peer = try #require(try connectedPeer(client, first))
        let pem = try world.authority.revocationListPEM(of: [Hex.bytes(peer.serialHex)])
        let list = try RevocationList(parsing: #require(PEMBlock.parse(Array(pem.utf8)).first).bytes)
        let revoking = material.revoking(Revocation(.ifPresent, [world.domain: [list]]))
        let second = try TLSContext(
            accepting: revoking, options: options, applicationProtocols: [], continuing: first, clock: clock.read)
        var pair = try Pair(client: client, server: second)
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.revoked)))
    }

    private func connectedPeer(_ client: TLSContext, _ server: TLSContext) throws -> PeerSVID? {
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        _ = pair.send(fromServer: [1])
        return pair.server.session.peer
    }

    @Test("offers a session only to the endpoint that gave it")
    func otherEndpoint() throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server, endpoint: 1)
        #expect(try !connect(client, server, endpoint: 2))
        #expect(try connect(client, server, endpoint: 1))
    }

    @Test("ends with the peer's certificate: the server asks for a new one")
    func clientExpired() throws {
        let server = try server()
        let client = try client(lifetimeSeconds: 600)
        _ = try connect(client, server)
        #expect(try connect(client, server))
        clock.advance(bySeconds: 700)
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.expired)))
        #expect(pair.server.session.peer == nil)
    }

    @Test("ends after an hour, however often it was resumed", arguments: [600, 3_590])
    func lifetime(stepSeconds: Int64) throws {
        let (client, server) = try (client(), server())
        #expect(try !connect(client, server))
        var age: Int64 = 0
        while age + stepSeconds <= 3_600 {
            clock.advance(bySeconds: stepSeconds)
            age += stepSeconds
            #expect(try connect(client, server))
        }
        clock.advance(bySeconds: stepSeconds)
        #expect(try !connect(client, server))
    }

    @Test("is not offered to a server whose certificate has expired since")
    func serverExpired() throws {
        let client = try client()
        let certificate = try world.authority.issue(LeafRequest(path: "/server", validity: .seconds(600)))
        let server = try TLSContext.server(
            material(certificate, trusting: [world.bundle]), options, clock: clock.read)
        _ = try connect(client, server)
        clock.advance(bySeconds: 700)
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(.expired)))
    }

    @Test("takes the server name and the protocol of this connection, not of the first")
    func namesAreFresh() throws {
        let server = try server()
        let first = try client(serverName: "one.test")
        _ = try connect(first, server)
        let offer = try #require(first.offeredSessions?.take(endpoint: nil))
        let second = try client(serverName: "two.test")
        second.offeredSessions?.keep(offer.session, peer: offer.peer, endpoint: nil)
        var pair = try Pair(client: second, server: server)
        pair.handshake()
        let name = pair.server.session.serverName
        #expect(name == "two.test")
    }

    @Test("is not done in TLS 1.2")
    func oldVersion() throws {
        let options = TLSOptions(minVersion: .tls12, resumption: true)
        let client = try TLSContext.client(world.material("/client"), options, maxVersion: .tls12)
        let server = try TLSContext.server(world.material("/server"), options)
        for _ in 0..<3 { #expect(try !connect(client, server)) }
    }

    @Test("still refuses after the handshake, and forgets the session")
    func refused() throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server)
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        let resumed = pair.server.session.resumed
        #expect(resumed)
        pair.client.inbox += pair.server.refuse()
        _ = pair.client.open()
        #expect(pair.client.opened == .failed(.peerAlert(49)))
    }

    @Test("makes fresh keys each time")
    func forwardSecrecy() throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server)
        var pair = try Pair(client: client, server: server)
        let hello = pair.client.handshake()
        // psk_key_exchange_modes holds psk_dhe_ke alone (RFC 8446, section 4.2.9).
        #expect(hello.count > 7)
        #expect(contains(hello, [0x00, 0x2d, 0x00, 0x02, 0x01, 0x01]))
    }

    @Test("keeps a bounded number of sessions")
    func bounded() throws {
        var cache = BoundedCache<Int, Int>(capacity: 3)
        for number in 0..<10 { cache.insert(number, for: number) }
        #expect(cache.count == 3)
        #expect((cache[6], cache[7], cache[9]) == (nil, 7, 9))
        cache.remove(8)
        cache.insert(10, for: 10)
        #expect(cache.count <= 3)
        #expect(cache[10] == 10)
        for number in 0..<1000 {
            cache.insert(number, for: number % 7)
            if number % 3 == 0 { cache.remove(number % 5) }
            #expect(cache.count <= 3)
        }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
}

extension IdentityMaterial {
    /// The same identity with these CRLs.
    fileprivate func revoking(_ revocation: Revocation) -> IdentityMaterial {
        IdentityMaterial(
            id: id, notBefore: notBefore, notAfter: notAfter, chain: chain, trustBundles: trustBundles,
            revocation: revocation, privateKey: privateKey)
    }
}
