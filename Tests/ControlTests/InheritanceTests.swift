import Control
import Glibc
import System
import Testing

/// What a socket unit passes, beside what the settings say.
@Suite("Inherited sockets")
struct InheritanceTests {
    enum Case: CaseIterable {
        case nobodys, elsewhere, beyondLoopback, datagrams, bothFamilies, openFile, tooMany
    }

    @Test("a socket that is not what the settings ask for ends the start, with a remedy", arguments: Case.allCases)
    func refused(how: Case) throws {
        let site = try Site { text in
            switch how {
            case .bothFamilies: text.replacing("bind: 127.0.0.1:\(Self.port(in: text))", with: "bind: \"[::]:0\"")
            case .openFile:
                text.replacing("mode: outbound\n    bind: 127.0.0.1:", with: "mode: outbound\n    bind: unix:/tmp/")
            default: text
            }
        }
        let (app, out) = (
            SocketAddress(v4: 0x7F00_0001, port: site.inboundPort),
            SocketAddress(v4: 0x7F00_0001, port: site.outboundPort)
        )
        let (sockets, says): ([Made], String) =
            switch how {
            case .nobodys:
                (
                    [try Made("postern.socket", SocketAddress(v4: 0x7F00_0001, port: 0))],
                    "(\"postern.socket\"), and no listener binds"
                )
            case .elsewhere: ([try Made("app", out)], "make ListenStream= and `bind` the same")
            case .beyondLoopback:
                (
                    [try Made("to-app", SocketAddress(v4: 0, port: site.outboundPort))],
                    "the listener binds 127.0.0.1:\(site.outboundPort): make ListenStream="
                )
            case .datagrams: ([try Made("app", app, type: SOCK_DGRAM)], "no listening TCP or Unix stream socket")
            case .bothFamilies: ([try Made("app", SocketAddress(v6: 0, 0, port: 0))], "set BindIPv6Only=ipv6-only")
            case .openFile:
                (
                    [try Made("x", SocketAddress(unix: "/tmp/\(site.outboundPort)"))],
                    "its file has the permissions 0666, and the settings allow 0600: set SocketMode=0600"
                )
            case .tooMany:
                (try (0..<3).map { _ in try Made("x", app) }, "passes 3 sockets for listener \"app\"")
            }
        defer { _ = unsafe unlink("/tmp/\(site.outboundPort)") }
        let entries = sockets.map { InheritedDescriptors.Entry(number: $0.owner.number, name: $0.name) }
        let ready = try #require(CheckedSettings.load(path: site.settings, now: WallClock.seconds()).ready)
        let loop = try ControlLoop(signals: .none)
        let fault = #expect(throws: ProxyFault.self) {
            try Proxy(ready, inherited: InheritedDescriptors(entries: entries), on: loop, logger: quiet)
        }
        #expect(fault?.description.contains(says) == true, "\(fault.debugDescription)")
        #expect(fault?.description.hasPrefix("\(site.settings):") == true)
    }

    private static func port(in text: String) -> Substring {
        text.split(separator: "bind: 127.0.0.1:")[1].prefix { $0.isNumber }
    }

    /// A bound socket, as the service manager has it.
    private final class Made {
        let name: String
        let owner: OwnedDescriptor

        init(_ name: String, _ address: SocketAddress, type: __socket_type = SOCK_STREAM) throws {
            self.name = name
            owner = OwnedDescriptor(socket(address.family, Int32(type.rawValue), 0))
            var yes: Int32 = 1
            // Safe: the kernel copies the number.
            _ = unsafe setsockopt(owner.number, SOL_SOCKET, SO_REUSEPORT, &yes, socklen_t(MemoryLayout<Int32>.size))
            if address.isIPv6 {
                var no: Int32 = 0
                _ = unsafe setsockopt(
                    owner.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, socklen_t(MemoryLayout<Int32>.size))
            }
            try #require(address.bind(owner.number) == 0)
            if let path = address.unixName { _ = unsafe chmod(path, 0o666) }
            if type == SOCK_STREAM { try #require(listen(owner.number, 16) == 0) }
        }
    }
}
