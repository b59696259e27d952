import COpenSSL
import Identity
import Synchronization
import TLSTesting
import Testing

@testable import TLS
@testable import Authority

@Suite("What a session was made under")
struct SessionGenerationTests {
    enum Change: CaseIterable, Sendable {
        case identity, revocation, policy

        func apply(to context: TLSContext) {
            switch self {
            case .identity: context.generations.identity += 1
            case .revocation: context.generations.revocation += 1
            case .policy: context.generations.policy += 1
            }
        }
    }

    enum Side: CaseIterable, Sendable {
        case accepting, dialling
    }

    private let world: World
    private let options = TLSOptions(resumption: true)

    init() throws { world = try World() }

    private func server(_ clock: @escaping @Sendable () -> Int64 = now) throws -> TLSContext {
        try .server(world.material("/server"), options, clock: clock)
    }

    private func client(_ accepting: @escaping @Sendable (SPIFFEID) -> Bool = { _ in true }) throws -> TLSContext {
        try .client(world.material("/client"), options, accepting: accepting)
    }

    /// Shakes hands and lets the tickets arrive; whether the session was continued.
    private func connect(_ client: TLSContext, _ server: TLSContext) throws -> Bool {
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        try #require(pair.client.outcome == .complete)
        try #require(pair.server.outcome == .complete)
        _ = pair.send(fromServer: [1])
        let resumed = (pair.client.session.resumed, pair.server.session.resumed)
        #expect(resumed.0 == resumed.1)
        return resumed.0
    }

    @Test("is what it is continued under, or it is not continued", arguments: Change.allCases, Side.allCases)
    func change(_ change: Change, at side: Side) throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server)
        #expect(try connect(client, server))
        change.apply(to: side == .accepting ? server : client)
        #expect(try !connect(client, server))
        #expect(try connect(client, server))
    }

    @Test("is what it was when its connection began", arguments: Change.allCases, Side.allCases)
    func changeOfAnOpenConnection(_ change: Change, at side: Side) throws {
        let (client, server) = try (client(), server())
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        change.apply(to: side == .accepting ? server : client)
        _ = pair.send(fromServer: [1])
        #expect(pair.client.plaintext == [1])
        #expect(try !connect(client, server))
    }

    @Test("stays what it was, however often the session is continued", arguments: Change.allCases)
    func inheritance(_ change: Change) throws {
        let (client, server) = try (client(), server())
        let first = server.generations
        for _ in 0..<3 { _ = try connect(client, server) }
        change.apply(to: server)
        let second = server.generations
        #expect(try !connect(client, server))
        // Even numbers that come back do not bring the new sessions along.
        server.generations = first
        #expect(try !connect(client, server))
        server.generations = second
        #expect(try !connect(client, server))
    }

    @Test("begins with the generation of the identity files")
    func beginning() throws {
        let context = try TLSContext.server(world.material("/server", generation: 7))
        #expect(context.generations == SessionGenerations(identity: 7, revocation: 0, policy: 0))
    }

    @Test("is also what remembered chains were verified under, but for the policy", arguments: Change.allCases)
    func chains(_ change: Change) throws {
        let (client, server) = try (client(), server())
        _ = try connect(client, server)
        #expect(server.verifier.rememberedChains == 1)
        change.apply(to: server)
        #expect(server.verifier.rememberedChains == (change == .policy ? 1 : 0))
    }

    @Test("counts with a dialling side that no longer accepts the peer: nothing is offered")
    func acceptance() throws {
        let expected = Mutex("/server")
        let client = try client { id in expected.withLock { id.path == $0 } }
        let server = try server()
        _ = try connect(client, server)
        expected.withLock { $0 = "/other" }
        var pair = try Pair(client: client, server: server)
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(.identityNotExpected)))
    }

    // MARK: Sessions of a client that nobody here wrote

    /// Connects `peer` to a context, gives it its ticket, and returns the session it would use next.
    private func session(of peer: borrowing RawPeer, with server: TLSContext) throws -> (
        session: KeptSession, resumed: Bool
    ) {
        var end = try End(server)
        peer.handshake(with: &end)
        try #require(end.outcome == .complete)
        peer.feed(end.seal([1]))
        #expect(peer.read().bytes == [1])
        let resumed = end.session.resumed
        // Safe: the reference that is returned is the new object's own.
        let session = unsafe try #require(unsafe SSL_get1_session(peer.ssl))
        // Else OpenSSL would forget the session with its connection.
        unsafe SSL_set_shutdown(peer.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        return (unsafe KeptSession(owning: session), resumed)
    }

    /// A client that offers `session`.
    private func thief(_ session: KeptSession, _ certificate: IssuedCertificate) throws -> RawPeer {
        let peer = try RawPeer(certificate: certificate)
        // Safe: OpenSSL takes a reference of its own.
        #expect(unsafe SSL_set_session(peer.ssl, session.pointer) == 1)
        return peer
    }

    /// The ticket that a client was given: nothing but the session's number at the server.
    private func ticket(of session: KeptSession) -> Digest256? {
        // Safe: the bytes belong to the session and are copied at once.
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        unsafe SSL_SESSION_get0_ticket(session.pointer, &bytes, &count)
        return unsafe Digest256(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    @Test("a session offered by OpenSSL's own client is continued where it was made, and nowhere else")
    func otherListener() throws {
        let certificate = try world.authority.issue(path: "/client")
        let material = try world.material("/server")
        let here = try TLSContext.server(material, options)
        let there = try TLSContext.server(material, options)
        let made = try session(of: RawPeer(certificate: certificate), with: here)
        #expect(try session(of: thief(made.session, certificate), with: here).resumed)
        #expect(try !session(of: thief(made.session, certificate), with: there).resumed)
        #expect(try session(of: thief(made.session, certificate), with: here).resumed)
    }

    @Test("a session is refused by its listener's name even where it is known")
    func otherListenerThatKnowsIt() throws {
        let certificate = try world.authority.issue(path: "/client")
        let material = try world.material("/server")
        let here = try TLSContext.server(material, options)
        let there = try TLSContext.server(material, options)
        let made = try session(of: RawPeer(certificate: certificate), with: here)
        let number = try #require(ticket(of: made.session))
        let kept = try #require(here.acceptedSessions?.session(number))
        #expect(there.acceptedSessions?.keep(kept) == true)
        #expect(there.acceptedSessions?.session(number) != nil)
        #expect(try !session(of: thief(made.session, certificate), with: there).resumed)
    }

    @Test(
        "a session from before a change is refused to a client that offers it all the same", arguments: Change.allCases)
    func stolen(_ change: Change) throws {
        let certificate = try world.authority.issue(path: "/client")
        let server = try server()
        let made = try session(of: RawPeer(certificate: certificate), with: server)
        change.apply(to: server)
        #expect(try !session(of: thief(made.session, certificate), with: server).resumed)
    }

    @Test("a session without a change is refused once the client's certificate has expired, and so is the certificate")
    func expired() throws {
        let clock = ManualClock()
        let certificate = try world.authority.issue(LeafRequest(path: "/client", validity: .seconds(600)))
        let server = try server(clock.read)
        let made = try session(of: RawPeer(certificate: certificate), with: server)
        clock.advance(bySeconds: 601)
        let peer = try thief(made.session, certificate)
        var end = try End(server)
        peer.handshake(with: &end)
        #expect(end.outcome == .failed(.refused(.expired)))
        #expect(end.session.peer == nil)
    }

    @Test("a session that was made without asking the client for a certificate is not continued")
    func otherClientAuthentication() throws {
        let open = try RawPeer(server: true, certificate: world.authority.issue(path: "/server")) {
            // Safe: the context is alive.
            unsafe SSL_CTX_set_verify($0.pointer, SSL_VERIFY_NONE, nil)
        }
        var end = try End(client())
        open.handshake(with: &end)
        try #require(end.outcome == .complete)
        let server = try server()
        // Safe: the reference that is returned is the new object's own.
        let foreign = unsafe KeptSession(owning: try #require(unsafe SSL_get1_session(open.ssl)))
        if let number = foreign.number {
            _ = server.acceptedSessions?.keep(foreign)
            #expect(server.acceptedSessions?.session(number) == nil)
        }
        // Nothing that this process made can be told from it but by what a verification leaves in a session.
        #expect(unsafe SessionTicketData(foreign.pointer) == nil)
    }
}
