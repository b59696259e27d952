import COpenSSL
import Identity
import Authority
import TLSTesting
import Testing

@testable import TLS

@Suite("Our records, with OpenSSL at the other end")
struct RecordPeerTests {
    enum Role: CaseIterable, Sendable { case accepting, dialling }

    /// One of our ends and OpenSSL, with a complete handshake between them.
    struct Joined: ~Copyable {
        let peer: RawPeer
        var end: End

        init(
            _ role: Role, _ cipher: RecordCipher = .aes128GCM, resumption: Bool = false,
            _ configure: (RawPeer.Context) -> Void = { _ in }
        ) throws {
            let world = try World()
            let options = TLSOptions(resumption: resumption)
            let context =
                role == .accepting
                ? try TLSContext.server(world.material("/server"), options)
                : try TLSContext.client(world.material("/client"), options)
            let peer = try RawPeer(server: role == .dialling, certificate: world.authority.issue(path: "/peer")) {
                // Safe: the context is alive.
                unsafe _ = SSL_CTX_set_ciphersuites($0.pointer, cipher.name)
                configure($0)
            }
            var end = try End(context)
            peer.handshake(with: &end)
            self.peer = peer
            self.end = end
        }

        /// What our end decrypts of the peer's output, given in pieces; the peer gets the replies.
        mutating func receive(
            cutting: (inout [UInt8]) -> [UInt8] = { all in
                defer { all = [] }
                return all
            }
        ) {
            var bytes = peer.take()
            while !bytes.isEmpty {
                end.inbox = cutting(&bytes)
                peer.feed(end.open())
            }
        }
    }

    private static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 29) } }

    @Test("carry every length both ways, with every cipher", arguments: Role.allCases, RecordCipher.allCases)
    func carry(role: Role, cipher: RecordCipher) throws {
        var joined = try Joined(role, cipher)
        let (name, version) = (joined.end.session.cipher, joined.end.session.version)
        #expect(name == cipher.name)
        #expect(version == .tls13)
        for count in [1, 2, 15, 16, 17, 255, 16_383, 16_384, 16_385, 100_000] {
            let bytes = Self.pattern(count)
            joined.peer.write(bytes)
            joined.receive()
            #expect(joined.end.plaintext == bytes)
            joined.end.plaintext = []
            joined.peer.feed(joined.end.seal(bytes))
            #expect(joined.peer.read().bytes == bytes)
        }
    }

    @Test("no longer need OpenSSL's object", arguments: Role.allCases, [true, false])
    func freed(role: Role, resumption: Bool) throws {
        var joined = try Joined(role, resumption: resumption)
        let isFreed = unsafe joined.end.session.handshaker == nil
        #expect(isFreed)
        joined.peer.write([1])
        joined.receive()
        let hasReader = joined.end.session.records?.waitsForTickets ?? false
        #expect(!hasReader)
    }

    @Test("are reassembled wherever two reads split them", arguments: RecordCipher.allCases)
    func cuts(cipher: RecordCipher) throws {
        var joined = try Joined(.accepting, cipher)
        // A batch has at most this many bytes; a split beyond its end is none.
        for cut in 0..<160 {
            joined.peer.write(Self.pattern(40))
            joined.peer.write([7])
            joined.peer.updateKeys(requestingAnswer: false)
            joined.peer.write([8, 9])
            var isFirst = true
            joined.receive { all in
                let count = isFirst ? min(cut, all.count) : all.count
                isFirst = false
                defer { all.removeFirst(count) }
                return Array(all[..<count])
            }
            #expect(joined.end.plaintext == Self.pattern(40) + [7, 8, 9], "cut at \(cut)")
            joined.end.plaintext = []
        }
    }

    @Test("may be padded", arguments: [16, 64, 512, 4_096, 16_384])
    func padding(blockBytes: Int) throws {
        // Safe: the context is alive.
        var joined = try Joined(.accepting) { unsafe _ = SSL_CTX_set_block_padding($0.pointer, blockBytes) }
        for count in [1, 100, 16_384, 40_000] {
            joined.peer.write(Self.pattern(count))
            joined.receive()
            #expect(joined.end.plaintext == Self.pattern(count))
            joined.end.plaintext = []
        }
    }

    @Test("change keys when either side wants to", arguments: Role.allCases, RecordCipher.allCases)
    func keyUpdates(role: Role, cipher: RecordCipher) throws {
        var joined = try Joined(role, cipher)
        joined.end.session.records?.recordsPerKey = 5
        for round in 0..<60 {
            if round % 3 == 1 { joined.peer.updateKeys(requestingAnswer: round % 2 == 0) }
            joined.peer.write(Self.pattern(round + 1))
            joined.receive()
            #expect(joined.end.plaintext == Self.pattern(round + 1))
            joined.end.plaintext = []
            joined.peer.feed(joined.end.seal(Self.pattern(round * 700 + 1)))
            #expect(joined.peer.read().bytes == Self.pattern(round * 700 + 1))
        }
    }

    @Test("of a peer that only sends get a new key when we ask for it", arguments: Role.allCases)
    func wornKey(role: Role) throws {
        var joined = try Joined(role)
        joined.end.session.records?.recordsPerKey = 4
        for round in 0..<40 as Range<UInt8> {
            joined.peer.write([round])
            joined.receive()
            _ = joined.peer.read()
        }
        #expect(joined.end.plaintext == Array(0..<40))
        let sequence = joined.end.session.records?.receiving.sequence ?? .max
        #expect(sequence < 10)
    }

    @Test("begin behind the tickets that OpenSSL has sent", arguments: [0, 1, 2, 5])
    func tickets(count: Int) throws {
        let world = try World()
        let context = try TLSContext.server(world.material("/server"), TLSOptions(resumption: true))
        // Safe: the context is alive.
        unsafe _ = SSL_CTX_set_num_tickets(context.pointer, count)
        let peer = try RawPeer(certificate: world.authority.issue(path: "/peer"))
        var end = try End(context)
        peer.handshake(with: &end)
        let sequence = end.session.records?.sending.sequence ?? .max
        #expect(sequence == UInt64(count))
        peer.feed(end.seal([1, 2]))
        #expect(peer.read().bytes == [1, 2])
    }

    @Test("read tickets until the first data, and take no harm from later ones", arguments: [0, 1, 2, 4])
    func lateTickets(count: Int) throws {
        // Safe, here and below: the context and the SSL are alive.
        var joined = try Joined(.dialling, resumption: true) { unsafe _ = SSL_CTX_set_num_tickets($0.pointer, count) }
        joined.receive()
        let hasReader = joined.end.session.records?.waitsForTickets ?? false
        #expect(hasReader == (count == 0))
        let isOffered = joined.end.session.context.offeredSessions?.take(endpoint: nil) != nil
        #expect(isOffered == (count > 0))
        joined.peer.write([1])
        for _ in 0..<3 {
            unsafe _ = SSL_new_session_ticket(joined.peer.ssl)
            _ = joined.peer.handshake()
        }
        joined.peer.write([2])
        joined.receive()
        #expect(joined.end.plaintext == [1, 2])
        #expect(joined.end.opened == .open)
    }

    @Test("end with close_notify, each direction by itself", arguments: Role.allCases)
    func close(role: Role) throws {
        var joined = try Joined(role)
        joined.peer.feed(joined.end.closeNotify())
        #expect(joined.peer.read().error == SSL_ERROR_ZERO_RETURN)
        joined.peer.write([1, 2, 3])
        joined.peer.closeNotify()
        joined.receive()
        #expect(joined.end.plaintext == [1, 2, 3])
        #expect(joined.end.opened == .closed)
    }

    @Test("end a session for good when they fail: it is not resumed")
    func forgotten() throws {
        let world = try World()
        let options = TLSOptions(resumption: true)
        let client = try TLSContext.client(world.material("/client"), options)
        let server = try TLSContext.server(world.material("/server"), options)
        for failing in [false, true] {
            var pair = try Pair(client: client, server: server)
            pair.handshake()
            let number = try #require(pair.server.session.records?.details.session)
            #expect(server.acceptedSessions?.session(number) != nil)
            if failing {
                pair.client.inbox = pair.server.refuse()
                _ = pair.client.open()
                #expect(pair.client.opened == .failed(.peerAlert(49)))
            }
            #expect((server.acceptedSessions?.session(number) == nil) == failing)
            let offered = client.offeredSessions?.take(endpoint: nil) != nil
            #expect(offered == !failing)
        }
    }
}
