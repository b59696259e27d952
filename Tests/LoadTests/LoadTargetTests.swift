import EventLoop
import Load
import System
import Testing

@Suite("The target's text")
struct LoadTargetTests {
    @Test(
        "addresses and names are taken",
        arguments: [
            ("127.0.0.1:80", SocketAddress(v4: 0x7F00_0001, port: 80)),
            ("[::1]:443", SocketAddress(v6: 0, 1, port: 443)),
            ("localhost:65535", SocketAddress(v4: 0x7F00_0001, port: 65_535)),
        ])
    func taken(text: String, address: SocketAddress) throws {
        #expect(try LoadTarget(resolving: text) == LoadTarget(text: text, address: address))
    }

    @Test(
        "an invalid target is reported with its reason",
        arguments: [
            ("127.0.0.1", LoadTargetFlaw.noPort), ("[::1]", .noPort), ("::1:80", .unbracketedIPv6), (":80", .noHost),
            ("[]:80", .noHost), ("127.0.0.1:", .badPort), ("127.0.0.1:0", .badPort), ("127.0.0.1:65536", .badPort),
            ("127.0.0.1:http", .badPort), ("127.0.0.1:-1", .badPort), ("", .noPort),
        ])
    func refused(text: String, flaw: LoadTargetFlaw) {
        #expect(throws: flaw) { try LoadTarget(resolving: text) }
    }

    @Test("a host name without an address is reported")
    func unknown() {
        #expect(throws: LoadTargetFlaw.self) { try LoadTarget(resolving: "no-such-host.invalid:80") }
    }
}
