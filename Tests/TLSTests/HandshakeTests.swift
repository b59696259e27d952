import Identity
import Authority
import TLSTesting
import Testing
@testable import SVID

@testable import TLS

@Suite("A handshake between two of us")
struct HandshakeTests {
    @Test("both sides authenticate the other, and data flows both ways", arguments: [TLSVersion.tls13, .tls12])
    func mutual(version: TLSVersion) throws {
        let world = try World()
        let options = TLSOptions(minVersion: version)
        var pair = try Pair(
            client: .client(world.material("/client"), options, serverName: "Orders.internal"),
            server: .server(world.material("/server"), options))
        pair.handshake()
        #expect(pair.client.outcome == .complete)
        #expect(pair.server.outcome == .complete)
        #expect(pair.client.session.peer?.id.description == "spiffe://example.org/server")
        #expect(pair.server.session.peer?.id.description == "spiffe://example.org/client")
        #expect(pair.server.session.serverName == "orders.internal")
        #expect(pair.server.session.cipher == "TLS_AES_128_GCM_SHA256")
        #expect(pair.server.session.version == .tls13)
        let resumed = pair.server.session.resumed
        #expect(!resumed)
        _ = pair.send(fromClient: Array("ping".utf8))
        _ = pair.send(fromServer: Array("pong".utf8))
        #expect(pair.server.plaintext == Array("ping".utf8))
        #expect(pair.client.plaintext == Array("pong".utf8))
    }

    @Test("a refusal after the handshake reaches the peer as access_denied")
    func refuse() throws {
        let world = try World()
        var pair = try Pair(client: .client(world.material("/client")), server: .server(world.material()))
        pair.handshake()
        pair.client.inbox += pair.server.refuse()
        _ = pair.client.open()
        #expect(pair.client.opened == .failed(.peerAlert(49)))
    }
}
