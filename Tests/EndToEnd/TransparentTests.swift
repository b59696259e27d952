import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// In network namespaces, with the rules and settings of the page on transparent mode, as it has them.
///
/// They take root, nft and iptables-legacy, and fail without.
@Suite("A sidecar whose connections the firewall sends to it")
struct TransparentTests {
    /// A way to set it up, and the event loop.
    struct Setup: Sendable, CustomTestStringConvertible {
        let mode: Sidecar.Mode
        let firewall: Sidecar.Firewall
        let loop: EventLoopKind

        var testDescription: String { "\(mode.rawValue), \(firewall.rawValue), \(loop.rawValue)" }

        /// The rules of the page, and those of the command by each tool; both loops with both.
        static let all =
            some
            + Sidecar.Mode.allCases.flatMap { mode in
                Sidecar.Firewall.ofCommand.enumerated().map { index, firewall in
                    let loops = mode == .redirect ? EventLoopKind.allCases : EventLoopKind.allCases.reversed()
                    return Setup(mode: mode, firewall: firewall, loop: loops[index % 2])
                }
            }
        /// The rules of the page: each mode, firewall and loop.
        static let some = [
            Setup(mode: .redirect, firewall: .nft, loop: .ioURing),
            Setup(mode: .redirect, firewall: .iptablesLegacy, loop: .epoll),
            Setup(mode: .tproxy, firewall: .nft, loop: .epoll),
            Setup(mode: .tproxy, firewall: .iptablesLegacy, loop: .ioURing),
        ]
    }

    private static let families = [Network.v4, Network.v6]

    @Test(
        "is asked from outside: policy sees the port that was dialled, and the application is on loopback",
        arguments: Setup.all)
    func inbound(setup: Setup) throws {
        try Self.inEachFamily(setup) { stage, sidecar, family in
            let application = try NetworkPeer.echo(
                family.loopback, 8080, in: .pod, of: sidecar.network, on: stage)
            let client = try Self.client(to: family.endpoint(family.pod, 8080), sidecar, stage)
            #expect(client.standardOutput.awaitLine { $0 == "hello" ? true : nil } == true)
            client.closeInput()
            let line = try sidecar.proxy.accessLine { $0.direction == "inbound" }
            #expect(line.reason == "finished" && line.rule == "mesh", "\(line)")
            #expect(line.destination == family.endpoint(family.pod, 8080))
            #expect(line.upstream == family.endpoint(family.loopback, 8080))
            #expect(line.source?.hasPrefix(family.endpoint(family.outside, 0).dropLast()) == true)
            // With tproxy the application sees who calls.
            let caller = setup.mode == .tproxy ? family.outside : family.loopback
            #expect(
                application.standardOutput.awaitLine { $0.hasPrefix("caller \(caller) ") ? true : nil } == true,
                "\(application.standardOutput.text)")
            _ = client.awaitExit()

            // No rule allows this port, and the listener's own is not what counts.
            let refused = try Self.client(to: family.endpoint(family.pod, 8081), sidecar, stage)
            let denied = try sidecar.proxy.accessLine { $0.direction == "inbound" }
            #expect(denied.reason == "policy-denied" && denied.upstream == nil)
            #expect(denied.destination == family.endpoint(family.pod, 8081))
            refused.stop()
        }
    }

    @Test("calls a service by its address, over mutual TLS with a server that nobody here wrote", arguments: Setup.all)
    func outbound(setup: Setup) throws {
        try Self.inEachFamily(setup) { stage, sidecar, family in
            let server = try Self.server(family, sidecar, stage)
            let answer = try NetworkPeer.call(family.outsideService, 80, from: .pod, of: sidecar.network)
            // `openssl s_server -rev` turns each line round.
            #expect(answer == ["answer olleh", "finished"])
            let line = try sidecar.proxy.accessLine { $0.direction == "outbound" }
            #expect(line.reason == "finished" && line.route == "mesh" && line.protected == nil, "\(line)")
            #expect(line.peerId == "spiffe://example.org/ns/default/sa/client" && line.tlsVersion == "1.3")
            #expect(line.destination == family.endpoint(family.outsideService, 80))
            #expect(line.upstream == line.destination)
            server.stop()
        }
    }

    @Test("calls itself by its own address and by that of its service, in over mutual TLS", arguments: Setup.all)
    func itself(setup: Setup) throws {
        try Self.inEachFamily(setup, untouched: "postern_connections_looped_total") { stage, sidecar, family in
            let application = try NetworkPeer.echo(
                family.loopback, 8080, in: .pod, of: sidecar.network, on: stage)
            for (address, port) in [(family.pod, 8080), (family.podService, 80)] {
                let answer = try NetworkPeer.call(address, port, from: .pod, of: sidecar.network)
                #expect(answer == ["answer hello", "finished"])
                let lines = try sidecar.proxy.accessLines(2)
                let outbound = try #require(lines.first { $0.direction == "outbound" })
                let inbound = try #require(lines.first { $0.direction == "inbound" })
                #expect(outbound.destination == family.endpoint(address, port) && outbound.route == "mesh")
                #expect(inbound.destination == family.endpoint(family.pod, 8080) && inbound.rule == "mesh")
                #expect(inbound.upstream == family.endpoint(family.loopback, 8080))
                #expect(inbound.peerId == "spiffe://example.org/ns/default/sa/server")
            }
            // Loopback is nobody's business.
            #expect(
                try NetworkPeer.call(family.loopback, 8080, from: .pod, of: sidecar.network)
                    == ["answer hello", "finished"])
            application.stop()
        }
    }

    @Test("leaves UDP and ICMP alone, in both directions", arguments: Setup.some)
    func others(setup: Setup) throws {
        try Self.inEachFamily(setup, untouched: "postern_connections_opened_total") { stage, sidecar, family in
            let ways: [(from: Network.Place, to: Network.Place, address: String)] = [
                (.outside, .pod, family.pod), (.pod, .outside, family.outside),
            ]
            for way in ways {
                _ = try NetworkPeer.echo(way.address, 8080, kind: "udp", in: way.to, of: sidecar.network, on: stage)
                let answer = try NetworkPeer.call(
                    way.address, 8080, kind: "udp", from: way.from, of: sidecar.network)
                #expect(answer == ["answer hello", "finished"])
                try sidecar.network.run(["ping", "-n", "-c", "1", "-W", "5", way.address], in: way.from)
            }
        }
    }

    @Test("passes through what no route matches, and says of it that it was not protected", arguments: Setup.some)
    func passthrough(setup: Setup) throws {
        try onStage(setup.loop) { stage in
            let sidecar = try Sidecar(setup.mode, setup.firewall, on: stage)
            let network = sidecar.network
            for family in Self.families {
                _ = try NetworkPeer.echo(family.outside, 9000, in: .outside, of: network, on: stage)
                let text = String(repeating: "many bytes ", count: 50_000)
                let answer = try NetworkPeer.call(family.outside, 9000, from: .pod, of: network, text: text)
                #expect(answer == ["answer \(text)", "finished"])
                let line = try sidecar.proxy.accessLine { $0.direction == "outbound" }
                #expect(line.protected == false && line.decision == "passthrough" && line.reason == "finished")
                #expect(line.route == nil && line.peerId == nil && line.tlsVersion == nil)
                #expect(line.destination == family.endpoint(family.outside, 9000) && line.upstream == line.destination)
                #expect(line.bytesToUpstream == text.utf8.count + 1 && line.bytesFromUpstream == line.bytesToUpstream)
                // Nobody listens: the caller learns it by a reset, as it would without a proxy or nearly so.
                #expect(try NetworkPeer.call(family.outside, 9001, from: .pod, of: network).last != "finished")
                #expect(try sidecar.proxy.accessLine().reason == "upstream-unreachable")
            }
            #expect(try sidecar.metric("postern_connections_passed_through_total") == 4)

            // One that is open when it is no longer to pass is closed, and none passes after it.
            let open = try NetworkPeer.talk(Network.v4.outside, 9000, from: .pod, of: network, on: stage)
            open.write(Array("one\n".utf8))
            #expect(open.standardOutput.awaitLine { $0 == "answer one" ? true : nil } == true)
            try sidecar.reload { $0.replacing("unmatched: passthrough", with: "unmatched: refuse") }
            let closed = try sidecar.proxy.accessLine()
            #expect(closed.reason == "route-removed" && closed.protected == false)
            open.write(Array("two\n".utf8))
            #expect(open.standardOutput.awaitLine { $0 == "reset" || $0.hasPrefix("failed") ? true : nil } == true)
            #expect(try NetworkPeer.call(Network.v4.outside, 9000, from: .pod, of: network).last != "finished")
            #expect(try sidecar.proxy.accessLine().reason == "no-route")
        }
    }

    @Test("becomes protected as soon as a route matches: what passed through until then is closed")
    func nowProtected() throws {
        try onStage(.epoll) { stage in
            let sidecar = try Sidecar(.redirect, .nft, on: stage)
            _ = try NetworkPeer.echo(Network.v4.outside, 9000, in: .outside, of: sidecar.network, on: stage)
            let open = try NetworkPeer.talk(Network.v4.outside, 9000, from: .pod, of: sidecar.network, on: stage)
            open.write(Array("one\n".utf8))
            #expect(open.standardOutput.awaitLine { $0 == "answer one" ? true : nil } == true)
            try sidecar.reload { $0.replacing("[80, 8080, 8443]", with: "[80, 8080, 8443, 9000]") }
            #expect(try sidecar.proxy.accessLine().reason == "policy-changed")
        }
    }

    @Test("refuses what leads back to itself: its listeners, its admin endpoint", arguments: Setup.some)
    func ownAddresses(setup: Setup) throws {
        try onStage(setup.loop) { stage in
            let sidecar = try Sidecar(setup.mode, setup.firewall, on: stage)
            let network = sidecar.network
            for family in Self.families {
                // From outside, with an identity that the policy allows: to the admin endpoint, the outbound listener,
                // and the inbound one itself.
                let ports = family.outside == Network.v4.outside ? [15000, 15001, 15006] : [15001, 15006]
                for port in ports {
                    let client = try Self.client(to: family.endpoint(family.pod, port), sidecar, stage)
                    #expect(client.awaitExit() != nil)
                    let line = try sidecar.proxy.accessLine()
                    #expect(line.reason == "loop" && line.upstream == nil, "\(port): \(line)")
                }
                // From the pod, to a listener without a rule.
                #expect(try NetworkPeer.call(family.loopback, 15001, from: .pod, of: network).last != "finished")
                #expect(try sidecar.proxy.accessLine().reason == "loop")
            }
            #expect(try sidecar.metric("postern_connections_looped_total") == 7)
        }
    }

    @Test("ends a loop that rules without an exemption make, and is as before", arguments: Setup.some)
    func loops(setup: Setup) throws {
        try onStage(setup.loop) { stage in
            // What it dials is not marked, so that the rules send it back.
            let sidecar = try Sidecar(setup.mode, setup.firewall, on: stage) { $0.replacing("mark: 1337", with: "") }
            for family in Self.families {
                _ = try NetworkPeer.echo(family.outside, 9000, in: .outside, of: sidecar.network, on: stage)
                #expect(
                    try NetworkPeer.call(family.outside, 9000, from: .pod, of: sidecar.network).last != "finished")
                let line = try sidecar.proxy.accessLine { $0.reason == "loop" }
                #expect(line.detail?.contains("exempt its mark") == true)
            }
            #expect(eventually { (try? sidecar.metric("postern_connections_active")) == 0 })
            // A handful of rounds, not all places that there are.
            #expect(try #require(try sidecar.metric("postern_connections_opened_total")) < 20)
        }
    }

    @Test("a caller of another host does not get this proxy's identity through a rule", arguments: [true, false])
    func remoteCaller(isAllowed: Bool) throws {
        try onStage(.ioURing) { stage in
            let sidecar = try Sidecar(.tproxy, .nft, on: stage) { settings in
                guard isAllowed else { return settings }
                return settings.replacing("mode: outbound\n", with: "mode: outbound\n    allowRemoteCallers: true\n")
            }
            // The pod becomes a gateway by a careless rule: whoever sends to 192.0.2.0/24 gets to the outbound
            // listener.
            let network = sidecar.network
            try network.shell(
                """
                nft insert rule inet postern prerouting ip daddr 192.0.2.0/24 tcp dport 9000 \
                    meta mark set 1 tproxy ip to 127.0.0.1:15001 accept
                """, in: .pod)
            try network.shell("ip route add 192.0.2.0/24 via 10.50.2.2", in: .node)
            let answer = try NetworkPeer.call("192.0.2.1", 9000, from: .outside, of: network)
            #expect(answer.last != "finished")
            let line = try sidecar.proxy.accessLine()
            // Where it wanted to go there is nobody.
            #expect((line.reason == "remote-caller") == !isAllowed && (line.upstream != nil) == isAllowed, "\(line)")
        }
    }

    @Test("says at its start what it may not do, and how to let it", arguments: ["transparent: tproxy", "mark: 1337"])
    func unprivileged(setting: String) throws {
        let folder = try TemporaryFolder("e2e")
        try TestIdentities.shared.write(to: folder)
        let page = try TransparentPage()
        var text = page.settings(setting.hasPrefix("mark") ? .redirect : .tproxy)
        if !setting.hasPrefix("mark") { text = text.replacing("mark: 1337", with: "") }
        try folder.write(text, to: "postern.yaml")
        let drop = ["setpriv", "--bounding-set", "-net_admin,-net_raw", "--inh-caps", "-net_admin,-net_raw", "--"]
        let run = try ChildProcess(
            drop + [PosternBinary.path(), "run", "--config", "postern.yaml"], in: folder.path)
        #expect(run.awaitExit() == .code(2))
        let said = run.standardError.text
        let named = setting.hasPrefix("mark") ? "mark" : setting
        #expect(said.contains("error: `\(named)` does not work here") && said.contains("CAP_NET_ADMIN"), "\(said)")
        #expect(said.contains("NET_ADMIN] in Kubernetes"))
        let check = try ChildProcess(
            drop + [PosternBinary.path(), "check", "--config", "postern.yaml"], in: folder.path)
        #expect(check.awaitExit() == .code(0))
        #expect(check.standardError.text.contains("warning: `\(named)` does not work here"))
    }

    @Test("refuses a connection with its own mark where the kernel tells it, and takes that of a program")
    func markedConnection() throws {
        try onStage(.epoll) { stage in
            let sidecar = try Sidecar(.redirect, .nft, on: stage)
            let network = sidecar.network
            _ = try NetworkPeer.echo(Network.v4.outside, 9000, in: .outside, of: network, on: stage)
            // Accepted sockets have the mark of their clients' packets; the rules no longer exempt the proxy's.
            try network.shell(
                """
                echo 1 > /proc/sys/net/ipv4/tcp_fwmark_accept
                nft flush chain inet postern outbound
                nft add rule inet postern outbound ip daddr 127.0.0.0/8 return
                nft add rule inet postern outbound meta l4proto tcp redirect to :15001
                """, in: .pod)
            #expect(try NetworkPeer.call(Network.v4.outside, 9000, from: .pod, of: network).last != "finished")
            let line = try sidecar.proxy.accessLine { $0.reason == "loop" }
            #expect(line.detail?.contains("own mark") == true, "\(line)")
        }
    }

    @Test("a reload does not turn a bound address into a tproxy one, and says so; another address it takes")
    func reload() throws {
        try onStage(.ioURing) { stage in
            let sidecar = try Sidecar(.redirect, .nft, on: stage)
            let next = sidecar.settings.replacing("transparent: redirect", with: "transparent: tproxy")
            try sidecar.proxy.replace(next + "\neventLoop: io_uring\nworkers: 1\n", in: stage.folder)
            try sidecar.proxy.awaitLog(containing: "can begin or end only at a start")
            // As before.
            _ = try NetworkPeer.echo(Network.v4.outside, 9000, in: .outside, of: sidecar.network, on: stage)
            #expect(
                try NetworkPeer.call(Network.v4.outside, 9000, from: .pod, of: sidecar.network)
                    == ["answer hello", "finished"])
            try sidecar.reload {
                $0.replacing(
                    "127.0.0.1:15001\n    transparent: redirect", with: "127.0.0.1:15002\n    transparent: tproxy")
            }
        }
    }

    @Test("explain answers for a destination as the page shows")
    func explains() throws {
        let folder = try TemporaryFolder("e2e")
        let page = try TransparentPage()
        try folder.write(page.settings(.redirect), to: "sidecar.yaml")
        func explain(_ listener: String, _ words: [String]) throws -> (exit: ProcessExit?, output: String) {
            let result = try PosternBinary.run(
                [
                    "explain", "--config", "sidecar.yaml", "--listener", listener, "--identity",
                    "spiffe://example.org/ns/default/sa/orders",
                ] + words, in: folder)
            return (result.exit, result.output + result.errors)
        }
        let mesh = try explain("outbound-v4", ["--destination", "10.96.0.20:80"])
        #expect(mesh.exit == .code(0) && mesh.output.contains("route: mesh"), "\(mesh)")
        let passed = try explain("outbound-v4", ["--destination", "192.0.2.7:443"])
        #expect(passed.exit == .code(0) && passed.output.hasPrefix("allowed, without protection"), "\(passed)")
        let json = try explain("outbound-v4", ["--destination", "192.0.2.7:443", "--json"])
        #expect(json.output.contains(#""decision":"passthrough""#) && json.output.contains(#""protected":false"#))
        let inbound = try explain("inbound-v4", ["--destination", "10.50.2.2:8080"])
        #expect(inbound.exit == .code(0) && inbound.output.contains("rule mesh"), "\(inbound)")
        #expect(try explain("inbound-v4", ["--destination", "10.50.2.2:8081"]).exit == .code(1))
        let own = try explain("inbound-v4", ["--destination", "10.50.2.2:15000"])
        #expect(own.exit == .code(1) && own.output.contains("a loop"), "\(own)")
        let unnamed = try explain("outbound-v4", [])
        #expect(unnamed.exit == .code(2) && unnamed.output.contains("--destination"), "\(unnamed)")
    }

    /// Runs `play` for each family beside one sidecar of this set-up.
    ///
    /// - Parameter metric: a count that is to be zero afterwards.
    private static func inEachFamily(
        _ setup: Setup, untouched metric: String? = nil, play: (Stage, Sidecar, Network.Addresses) throws -> Void
    ) throws {
        try onStage(setup.loop) { stage in
            let sidecar = try Sidecar(setup.mode, setup.firewall, on: stage)
            for family in families { try play(stage, sidecar, family) }
            if let metric { #expect(try sidecar.metric(metric) == 0) }
        }
    }

    /// `openssl s_client` outside, which has said hello.
    private static func client(to endpoint: String, _ sidecar: Sidecar, _ stage: Stage) throws -> ChildProcess {
        let folder = stage.folder
        let client = try sidecar.network.start(
            [
                "openssl", "s_client", "-connect", endpoint, "-CAfile", folder.file("bundle.pem"), "-cert",
                folder.file("client.pem"), "-key", folder.file("client.key"), "-cert_chain",
                folder.file("client-chain.pem"), "-quiet", "-no_ign_eof",
            ], in: .outside)
        client.write(Array("hello\n".utf8))
        return stage.keep(client)
    }

    /// `openssl s_server` outside, with an identity of the mesh.
    private static func server(
        _ family: Network.Addresses, _ sidecar: Sidecar, _ stage: Stage
    ) throws -> ChildProcess {
        let folder = stage.folder
        let server = try sidecar.network.start(
            [
                "openssl", "s_server", "-accept", family.endpoint(family.outside, 8443), "-CAfile",
                folder.file("bundle.pem"), "-cert", folder.file("client.pem"), "-key", folder.file("client.key"),
                "-cert_chain", folder.file("client-chain.pem"), "-Verify", "3", "-rev",
            ], in: .outside)
        guard server.standardOutput.awaitLine({ $0.contains("ACCEPT") ? true : nil }) == true else {
            throw HarnessFault.peerNotReady("openssl s_server", log: server.standardError.text)
        }
        return stage.keep(server)
    }
}
