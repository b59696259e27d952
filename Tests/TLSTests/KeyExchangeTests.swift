import COpenSSL
import TLSTesting
import Testing

@testable import Authority
@testable import TLS

@Suite("Key exchange")
struct KeyExchangeTests {
    @Test("two of us take the first group that both have", arguments: KeyExchangeGroup.available)
    func eachGroup(group: KeyExchangeGroup) throws {
        let world = try World()
        let server = TLSOptions(keyExchange: KeyExchangeGroup.allCases)
        var pair = try Pair(
            client: .client(world.material("/client"), TLSOptions(keyExchange: [group])),
            server: .server(world.material(), server))
        pair.handshake()
        #expect(pair.client.outcome == .complete && pair.server.outcome == .complete)
        let agreed = (pair.client.session.keyExchange, pair.server.session.keyExchange)
        #expect(agreed == (group, group))
        _ = pair.send(fromClient: [1])
        #expect(pair.server.plaintext == [1])
    }

    @Test("by default it is post-quantum where OpenSSL has that, without a second round trip")
    func standard() throws {
        let world = try World()
        var pair = try Pair(client: .client(world.material("/client")), server: .server(world.material()))
        pair.handshake()
        let agreed = pair.server.session.keyExchange
        #expect(agreed == (Self.hasHybrids ? .x25519MLKEM768 : .x25519))
        #expect((OpenSSL_version_num() >= 0x3050_0000) == Self.hasHybrids)
    }

    @Test("a group that OpenSSL lacks is passed over; without any other there is no context")
    func missing() throws {
        let world = try World()
        let options = TLSOptions(keyExchange: [.secP384r1MLKEM1024, .p521])
        var pair = try Pair(client: .client(world.material(), options), server: .server(world.material(), options))
        pair.handshake()
        let agreed = pair.server.session.keyExchange
        #expect(agreed == (Self.hasHybrids ? .secP384r1MLKEM1024 : .p521))
        #expect(throws: TLSFault.noKeyExchange([])) {
            _ = try TLSContext.server(world.material(), TLSOptions(keyExchange: []))
        }
    }

    @Test("tuples are of one kind, and shares are sent of the first group and of the first without post-quantum part")
    func listText() throws {
        try #require(try KeyExchangeList([.p384, .x25519]).text == "P-384:X25519")
        guard Self.hasHybrids else {
            #expect(try KeyExchangeList(KeyExchangeGroup.preferred).text == "X25519:P-256:P-384")
            return
        }
        #expect(try KeyExchangeList(KeyExchangeGroup.preferred).text == "*X25519MLKEM768/*X25519:P-256:P-384")
        #expect(
            try KeyExchangeList([.x25519MLKEM768, .secP384r1MLKEM1024]).text == "*X25519MLKEM768:SecP384r1MLKEM1024")
        #expect(try KeyExchangeList([.p384, .x25519MLKEM768]).text == "*P-384/X25519MLKEM768")
    }

    @Test(
        "a client that has what we accept is served, with a retry where its share is of another group",
        arguments: [
            ("P-384", KeyExchangeGroup.p384, false), ("P-256", .p256, false), ("X25519", .x25519, false),
            ("P-384:X25519", .p384, false), ("X448:P-384", .p384, true), ("P-521:X448:P-256:X25519", .x25519, true),
        ])
    func client(groups: String, agreed: KeyExchangeGroup, retries: Bool) throws {
        let world = try World()
        let peer = try rawClient(world, groups)
        var end = try End(.server(world.material()))
        _ = peer.handshake()
        end.inbox = peer.take()
        let answer = end.handshake()
        #expect(HelloRetry.isOne(answer) == retries)
        peer.feed(answer)
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        let group = end.session.keyExchange
        #expect(group == agreed)
    }

    @Test("a client that can do better than its share is asked to", .enabled(if: hasHybrids))
    func retriesForHybrid() throws {
        let world = try World()
        let peer = try rawClient(world, "X25519:X25519MLKEM768")
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        let group = end.session.keyExchange
        #expect(group == .x25519MLKEM768)
    }

    @Test(
        "a client after a retry has to send the share that it was asked for",
        arguments: ["X448:P-256", "X25519", "P-384", "P-384:P-256"])
    func otherShareAfterRetry(groups: String) throws {
        let world = try World()
        let peer = try rawClient(world, "X448:P-256")
        var end = try End(.server(world.material(), TLSOptions(keyExchange: [.p256, .p384, .x25519])))
        _ = peer.handshake()
        end.inbox = peer.take()
        #expect(HelloRetry.isOne(end.handshake()))
        let other = try rawClient(world, groups)
        _ = other.handshake()
        end.inbox = other.take()
        _ = end.handshake()
        guard case .failed(.misbehaved) = end.outcome else {
            Issue.record("\(end.outcome)")
            return
        }
    }

    @Test("a client without any of our groups is told so", arguments: ["X25519", "X448:P-521", "P-256:X25519"])
    func refused(groups: String) throws {
        let world = try World()
        let peer = try rawClient(world, groups)
        var end = try End(.server(world.material(), TLSOptions(keyExchange: [.p384])))
        _ = peer.handshake()
        end.inbox = peer.take()
        #expect(end.handshake().suffix(2) == [2, 40])
        #expect(end.outcome == .failed(.incompatible(.group)))
    }

    @Test("a server of any of our groups is reached", arguments: ["P-384", "P-256", "X25519", "X448:P-384"])
    func server(groups: String) throws {
        let world = try World()
        let peer = try RawPeer(server: true, certificate: world.authority.issue()) {
            // Safe, here and below: the context is alive, and the string lives for the call.
            unsafe _ = postern_ctx_set_groups($0.pointer, groups)
        }
        var end = try End(.client(world.material()))
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        let group = end.session.keyExchange?.rawValue
        #expect(group.map { groups.hasSuffix($0) } == true)
    }

    @Test(
        "a server that asks for a group we did not offer, or one whose share it has, is refused with illegal_parameter",
        arguments: [0x18, 0x1d, 0x100, 0x11ec, 0] as [UInt16])
    func forgedRetry(group: UInt16) throws {
        var end = try End(.client(World().material(), TLSOptions(keyExchange: [.x25519, .p256])))
        let hello = end.handshake()
        end.inbox = HelloRetry(answering: hello, group: group).bytes
        let answer = end.handshake()
        #expect(answer.suffix(2) == [2, 47])
        guard case .failed(.misbehaved) = end.outcome else {
            Issue.record("\(end.outcome)")
            return
        }
    }

    @Test("a server that asks twice is refused")
    func secondRetry() throws {
        var end = try End(.client(World().material(), TLSOptions(keyExchange: [.x25519, .p256, .p384])))
        let hello = end.handshake()
        end.inbox = HelloRetry(answering: hello, group: 0x17).bytes
        #expect(!end.handshake().isEmpty)
        #expect(end.outcome == .wantsBytes)
        end.inbox = HelloRetry(answering: hello, group: 0x18).bytes
        _ = end.handshake()
        guard case .failed(.misbehaved) = end.outcome else {
            Issue.record("\(end.outcome)")
            return
        }
    }

    @Test("a ClientHello fits what an accepting side holds of one: a sixteenth of 16 KiB, or an eighth with a hybrid")
    func helloSize() throws {
        var end = try End(.client(World().material(), protocols: ["h2"], serverName: "orders.internal"))
        #expect(end.handshake().count <= (Self.hasHybrids ? 2_048 : 1_024))
    }

    private static let hasHybrids = KeyExchangeGroup.available.contains(.x25519MLKEM768)

    private func rawClient(_ world: World, _ groups: String) throws -> RawPeer {
        try RawPeer(certificate: world.authority.issue()) {
            unsafe _ = postern_ctx_set_groups($0.pointer, groups)
        }
    }
}

/// A HelloRetryRequest (RFC 8446, section 4.1.4) that nobody signed.
private struct HelloRetry {
    let bytes: [UInt8]

    init(answering hello: [UInt8], group: UInt16) {
        // After the headers of record and message come a version, 32 random bytes and the session ID.
        let session = Array(hello[43...][...(43 + Int(hello[43]))])
        let share: [UInt8] = [0, 0x33, 0, 2, UInt8(group >> 8), UInt8(group & 0xff)]
        let extensions: [UInt8] = [0, 0x2b, 0, 2, 3, 4] + share
        let body: [UInt8] =
            [3, 3] + Self.random + session + [0x13, 1, 0, 0, UInt8(extensions.count)] + extensions
        let message: [UInt8] = [2, 0, 0, UInt8(body.count)] + body
        bytes = [22, 3, 3, 0, UInt8(message.count)] + message
    }

    /// Whether a server's answer begins with one.
    static func isOne(_ answer: [UInt8]) -> Bool {
        answer.count > 43 && answer[0] == 22 && answer[5] == 2 && Array(answer[11..<43]) == random
    }

    private static let random: [UInt8] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
        0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ]
}
