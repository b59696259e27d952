import Identity
import PosternTesting
import TLSTesting
import Testing

@testable import TLS
@testable import Authority

@Suite("A handshake over a hostile network")
struct HostileHandshakeTests {
    @Test("completes when its bytes come one at a time", arguments: [TLSVersion.tls13, .tls12])
    func byteByByte(version: TLSVersion) throws {
        let world = try World()
        let options = TLSOptions(minVersion: version)
        var pair = try Pair(
            client: .client(world.material(), options, maxVersion: version), server: .server(world.material(), options))
        var toServer = pair.client.handshake()
        while pair.client.outcome != .complete || pair.server.outcome != .complete {
            var toClient: [UInt8] = []
            for byte in toServer {
                pair.server.inbox.append(byte)
                toClient += pair.server.handshake()
                // Who the client is counts only once it has proved that it has the key.
                #expect((pair.server.session.peer != nil) == (pair.server.outcome == .complete))
            }
            toServer = []
            for byte in toClient {
                pair.client.inbox.append(byte)
                toServer += pair.client.handshake()
            }
            try #require(!toServer.isEmpty || pair.client.outcome == .complete)
        }
        _ = pair.send(fromClient: [7])
        #expect(pair.server.plaintext == [7])
    }

    @Test("wants more bytes, wherever it is cut")
    func cut() throws {
        let world = try World()
        let client = try TLSContext.client(world.material())
        let server = try TLSContext.server(world.material())
        var whole = try Pair(client: client, server: server)
        let hello = whole.client.handshake()
        whole.server.inbox = hello
        let flight = whole.server.handshake()
        for count in 0..<hello.count {
            var end = try End(server)
            end.inbox = Array(hello[..<count])
            #expect(end.handshake().isEmpty)
            #expect(end.outcome == .wantsBytes)
        }
        // The client's answer depends on its own hello: a fresh pair for each cut of the server's flight.
        for count in stride(from: 0, to: flight.count - 8, by: 13) {
            var pair = try Pair(client: client, server: server)
            pair.server.inbox = pair.client.handshake()
            pair.client.inbox = Array(pair.server.handshake().prefix(count))
            _ = pair.client.handshake()
            #expect(pair.client.outcome == .wantsBytes)
        }
    }

    /// Flips one bit of each byte in turn of the message that `turn` names: 0 the hello, 1 the server's flight, 2 the
    /// client's.
    @Test("never traps and never lets in a message with a bit flipped", arguments: [0, 1, 2])
    func mutated(turn: Int) throws {
        let world = try World()
        let client = try TLSContext.client(world.material())
        let server = try TLSContext.server(world.material())
        var generator = SeededGenerator(seed: UInt64(turn + 1))
        for _ in 0..<400 {
            var pair = try Pair(client: client, server: server)
            var message = pair.client.handshake()
            if turn == 0 { flip(&message, &generator) }
            pair.server.inbox = message
            message = pair.server.handshake()
            if turn == 1 { flip(&message, &generator) }
            pair.client.inbox = message
            message = pair.client.outcome == .wantsBytes ? pair.client.handshake() : []
            if turn == 2 { flip(&message, &generator) }
            guard pair.server.outcome == .wantsBytes else { continue }
            pair.server.inbox = message
            _ = pair.server.handshake()
            // Record versions are not authenticated; any other bit that gets through would be a forgery.
            if pair.server.outcome == .complete { _ = pair.send(fromClient: [1]) }
            if pair.server.opened == .open, pair.server.outcome == .complete {
                #expect(pair.server.session.peer != nil)
                #expect(pair.server.plaintext == [1])
            }
        }
    }

    @Test("survives random bytes after any prefix of a good one")
    func noise() throws {
        let world = try World()
        let client = try TLSContext.client(world.material())
        let server = try TLSContext.server(world.material())
        var generator = SeededGenerator(seed: 99)
        for _ in 0..<500 {
            var end = try End(server)
            var other = try End(client)
            let hello = other.handshake()
            end.inbox = Array(hello.prefix(Int(generator.next() % UInt64(hello.count + 1))))
            end.inbox += (0..<200).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            _ = end.handshake()
            #expect(end.outcome != .complete)
        }
    }

    @Test("refuses a chain message over 16 KiB")
    func hugeChain() throws {
        let world = try World()
        let good = try world.authority.issue(
            LeafRequest().with {
                $0.extensions = [
                    RawExtension(
                        objectIdentifier: [1, 3, 6, 1, 4, 1, 55555, 3], critical: false,
                        value: DER.octetString([UInt8](repeating: 0, count: 16_384)))
                ]
            })
        let peer = try RawPeer(certificate: good)
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        #expect(end.outcome == .failed(.misbehaved(.messageTooLarge)))
    }

    private func flip(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let bit = generator.next()
        bytes[Int(bit / 8 % UInt64(bytes.count))] ^= 1 << UInt8(bit % 8)
    }
}
