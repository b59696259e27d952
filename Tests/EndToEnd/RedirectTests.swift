import Loopback
import PosternTesting
import Testing

/// `postern redirect` in network namespaces. That connections then go where they are meant to is shown in
/// `TransparentTests`.
///
/// They take root, nft, iptables-nft and iptables-legacy, and fail without.
@Suite("The command that installs the firewall's rules")
struct RedirectTests {
    private static let tools = ["nft", "iptables-nft", "iptables-legacy"]

    /// A pod without a proxy, and the page's settings.
    private final class Pod {
        let network: Network
        let folder: TemporaryFolder
        let settings: String

        init(_ mode: Sidecar.Mode = .redirect, change: (String) -> String = { $0 }) throws {
            network = try Network()
            folder = try TemporaryFolder("e2e")
            settings = try folder.write(change(TransparentPage().settings(mode)), to: "postern.yaml")
        }

        @discardableResult
        func redirect(_ words: String..., expecting code: Int32? = 0) throws -> String {
            try network.run([PosternBinary.path(), "redirect"] + words, in: .pod, expecting: code)
        }

        /// All rules and routes of the pod, whatever made them; counters aside.
        func state() throws -> String {
            let commands = [
                "nft list ruleset", "iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save",
                "ip6tables-legacy-save", "ip -4 rule", "ip -6 rule",
                "ip -4 route show table 133", "ip -6 route show table 133",
            ]
            let text = try commands.map { try network.run(["sh", "-c", "\($0) 2>/dev/null || true"], in: .pod) }
                .joined()
            let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            // An emptied table of iptables is no rule.
            let counters = /\[\d+:\d+\]|counter packets \d+ bytes \d+/
            return lines.map { $0.replacing(counters, with: "") }.joined(separator: "\n")
        }
    }

    @Test(
        "a second --apply changes nothing, another tool or mode replaces the rules, and --remove leaves none",
        arguments: Sidecar.Mode.allCases, tools)
    func idempotent(mode: Sidecar.Mode, tool: String) throws {
        let pod = try Pod(mode)
        // Rules and chains of others.
        try pod.network.shell(
            """
            nft add table inet others && nft add chain inet others c && nft add rule inet others c tcp dport 1 return
            \(tool == "nft" ? "iptables-legacy" : tool) -t nat -A OUTPUT -d 192.0.2.1 -j RETURN
            ip route add 203.0.113.0/24 via 10.50.2.1 table 133
            """, in: .pod)
        try pod.redirect("--apply", "--config", pod.settings, "--with", tool)
        let once = try pod.state()
        #expect(once.contains("15006") && once.contains("15001"))
        try pod.redirect("--apply", "--config", pod.settings, "--with", tool)
        #expect(try pod.state() == once)
        let other = Self.tools[(Self.tools.firstIndex(of: tool)! + 1) % 3]
        try pod.redirect("--apply", "--config", pod.settings, "--with", other)
        let moved = try pod.state()
        #expect(moved.contains("15006"))
        let otherMode = try Pod(mode == .redirect ? .tproxy : .redirect)
        try pod.redirect("--apply", "--config", otherMode.settings, "--with", tool)
        try pod.redirect("--remove")
        let rest = try pod.state()
        #expect(!rest.contains("15006") && !rest.contains("postern") && !rest.contains("POSTERN"), "\(rest)")
        #expect(!rest.contains("fwmark") && !rest.contains("lookup 133"), "\(rest)")
        #expect(rest.contains("203.0.113.0/24") && !rest.contains("local default"), "\(rest)")
        #expect(rest.contains("tcp dport 1 return") && rest.contains("192.0.2.1"), "rules of others are gone: \(rest)")
        try pod.redirect("--remove")
    }

    @Test("--print is a script that does what --apply does", arguments: Sidecar.Mode.allCases, tools)
    func prints(mode: Sidecar.Mode, tool: String) throws {
        let (applied, printed) = (try Pod(mode), try Pod(mode))
        let words = [
            "--with", tool, "--skip-inbound-ports", "22,9100-9199", "--skip-outbound-ports", "25",
            "--skip-outbound-addresses", "10.9.0.0/16,fd09::/16",
        ]
        func command(_ action: String, _ pod: Pod) throws -> String {
            try pod.network.run(
                [PosternBinary.path(), "redirect", action, "--config", pod.settings] + words, in: .pod)
        }
        _ = try command("--apply", applied)
        try printed.network.shell(command("--print", printed), in: .pod)
        let state = try applied.state()
        #expect(try printed.state() == state)
        #expect(state.contains("9100") && state.contains("10.9.0.0/16") && state.contains("fd09::/16"))
    }

    @Test("skipped ports and addresses are reached without the proxy, and the admin endpoint always", arguments: tools)
    func skips(tool: String) throws {
        try onStage(.epoll) { stage in
            let sidecar = try Sidecar(.redirect, .nft, on: stage) {
                $0.replacing("127.0.0.1:15000", with: "0.0.0.0:15000")
            }
            let path = try stage.folder.write(sidecar.settings, to: "redirect.yaml")
            try sidecar.network.run(
                [
                    PosternBinary.path(), "redirect", "--apply", "--config", path, "--with", tool,
                    "--skip-inbound-ports", "9000", "--skip-outbound-ports", "9001",
                    "--skip-outbound-addresses", "\(Network.v6.outside)",
                ], in: .pod)
            let network = sidecar.network
            _ = try NetworkPeer.echo(Network.v4.pod, 9000, in: .pod, of: network, on: stage)
            #expect(
                try NetworkPeer.call(Network.v4.pod, 9000, from: .outside, of: network) == ["answer hello", "finished"])
            for (address, port) in [(Network.v4.outside, 9001), (Network.v6.outside, 9002)] {
                _ = try NetworkPeer.echo(address, port, in: .outside, of: network, on: stage)
                #expect(
                    try NetworkPeer.call(address, port, from: .pod, of: network) == ["answer hello", "finished"])
            }
            let probe = try network.run(
                ["curl", "-s", "http://\(Network.v4.pod):15000/livez"], in: .outside)
            #expect(!probe.isEmpty)
            #expect(try sidecar.metric("postern_connections_passed_through_total") == 0)
            #expect(try sidecar.metric("postern_connections_opened_total") == 0)
        }
    }

    @Test("a host without IPv6 needs no listeners for it", arguments: Sidecar.Mode.allCases, tools)
    func withoutIPv6(mode: Sidecar.Mode, tool: String) throws {
        let pod = try Pod(mode)
        // As on such a host, the programs for it fail.
        let folder = try TemporaryFolder("e2e")
        let ip = try pod.network.run(["sh", "-c", "command -v ip"], in: .pod).split(separator: "\n")[0]
        for name in ["ip6tables-nft", "ip6tables-legacy"].flatMap({ [$0, "\($0)-save", "\($0)-restore"] }) {
            try folder.write("#!/bin/sh\nexit 3\n", to: name)
        }
        try folder.write("#!/bin/sh\n[ \"$1\" != -6 ] || exit 2\nexec \(ip) \"$@\"\n", to: "ip")
        try pod.network.shell("chmod +x \(folder.path)/*", in: .pod)
        let path = ["env", "PATH=\(folder.path):/usr/sbin:/usr/bin:/sbin:/bin", try PosternBinary.path(), "redirect"]
        let words = ["--apply", "--config", pod.settings, "--with", tool]
        if mode == .redirect, tool != "nft" {
            let said = try pod.network.run(path + words, in: .pod, expecting: 2)
            #expect(said.contains("leave it out with --only ipv4"), "\(said)")
        }
        try pod.network.run(path + words + ["--only", "ipv4"], in: .pod)
        #expect(try pod.state().contains("15006"))
        try pod.network.run(path + ["--remove"], in: .pod)
        #expect(try !pod.state().contains("15006"))
    }

    @Test("bad input is an error that names the remedy")
    func badInput() throws {
        let pod = try Pod { $0.replacing("mark: 1337", with: "") }
        #expect(
            try pod.redirect("--apply", "--config", pod.settings, expecting: 2).contains("name its user with --user"))
        #expect(try pod.redirect("--print", expecting: 2).contains("--config is missing"))
        #expect(
            try pod.redirect("--print", "--config", pod.settings, "--user", "nobody-here", expecting: 2)
                .contains("no user is named"))
        #expect(
            try pod.redirect("--print", "--config", pod.settings, "--user", "1000").contains("meta skuid 1000 return"))
        let unprivileged = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"]
        let words = ["redirect", "--apply", "--user", "1000", "--config", pod.settings]
        let said = try pod.network.run(unprivileged + [PosternBinary.path()] + words, in: .pod, expecting: 2)
        #expect(said.contains("CAP_NET_ADMIN"), "\(said)")
        let removal = try pod.network.run(
            unprivileged + [PosternBinary.path(), "redirect", "--remove"], in: .pod, expecting: 2)
        #expect(removal.contains("CAP_NET_ADMIN"), "\(removal)")
        #expect(try !pod.state().contains("15006"))
    }
}
