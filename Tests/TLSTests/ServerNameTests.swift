import COpenSSL
import Authority
import TLSTesting
import Testing

@testable import TLS

@Suite("Server names")
struct ServerNameTests {
    @Test(
        "are read in lower case and without a final dot",
        arguments: [
            ("foo.example", "foo.example"), ("FOO.Example", "foo.example"), ("foo.example.", "foo.example"),
            ("a", "a"), ("_srv-1.x2", "_srv-1.x2"), ("1.2.3.a4", "1.2.3.a4"),
        ])
    func names(text: String, name: String) {
        #expect(ServerName.parse(text.utf8) == name)
    }

    @Test(
        "are invalid if a rule could read them another way",
        arguments: [
            "", ".", "..", "foo..example", ".foo", "foo.example..", "127.0.0.1", "127.0.0.1.", "::1", "[::1]", "1",
            "foo.1",
            "foo bar", "foo/bar", "foo\\bar", "f\u{F6}o.example", String(repeating: "a", count: 64),
        ])
    func noNames(text: String) {
        #expect(ServerName.parse(text.utf8) == nil)
    }

    @Test("of a client of OpenSSL's are read so, or refused with a reason that shows them")
    func overTheWire() throws {
        let world = try World()
        let server = try TLSContext.server(world.material("/server"))
        for (sent, read) in [("foo.example.", "foo.example"), ("Foo.Example", "foo.example")] {
            let peer = try client(of: world, asking: sent)
            var end = try End(server)
            peer.handshake(with: &end)
            #expect(end.outcome == .complete)
            let name = end.session.serverName
            #expect(name == read)
        }
        for (sent, shown) in [("127.0.0.1", "127.0.0.1"), ("foo..example", "foo..example"), ("a b\\", "a\\x20b\\x5c")] {
            let peer = try client(of: world, asking: sent)
            var end = try End(server)
            _ = peer.handshake()
            end.inbox += peer.take()
            #expect(end.handshake() == [21, 3, 3, 0, 2, 2, 112], "unrecognized_name, fatal, in a record of its own")
            #expect(end.outcome == .failed(.misbehaved(.invalidServerName(shown))))
            #expect(end.session.peer == nil)
        }
    }

    private func client(of world: World, asking name: String) throws -> RawPeer {
        let peer = try RawPeer(certificate: world.authority.issue(path: "/client"))
        // Safe: the SSL is alive, and OpenSSL copies the name.
        #expect(unsafe postern_ssl_set_server_name(peer.ssl, name) == 1)
        return peer
    }
}
