import Foundation
import Loopback
import PosternTesting
import Testing

/// `postern validate` in network namespaces, with the rules that `postern redirect` installs.
///
/// They take root, nft, iptables-nft and iptables-legacy, and fail without.
@Suite("The command that proves that redirection works")
struct ValidateTests {
    /// How the proxy is known to the rules.
    enum Exemption: String, CaseIterable, Sendable {
        case mark, user
    }

    private struct Leg {
        let family: String
        let text: String
        let result: String
        let reason: String
    }

    /// A pod without a proxy, and the page's settings.
    private final class Pod {
        let network: Network
        let folder: TemporaryFolder
        let settings: String
        private let user: [String]
        private let binary: String

        init(_ mode: Sidecar.Mode = .redirect, _ exemption: Exemption = .mark, change: (String) -> String = { $0 })
            throws
        {
            network = try Network()
            folder = try TemporaryFolder("e2e")
            let text = try TransparentPage().settings(mode)
            let own = exemption == .mark ? text : text.replacing(/mark: 1337.*\n/, with: "")
            settings = try folder.write(change(own), to: "postern.yaml")
            user = exemption == .user ? ["--user", "1337"] : []
            // Users without privileges read both.
            binary = folder.file("postern")
            try FileManager.default.copyItem(atPath: PosternBinary.path(), toPath: binary)
            for path in [folder.path, settings] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
        }

        func redirect(_ words: String...) throws {
            try network.run(
                [PosternBinary.path(), "redirect", "--apply", "--config", settings] + user + words, in: .pod)
        }

        /// - Parameter prefix: words that run it as somebody else.
        func validate(
            _ words: String..., as prefix: [String] = [], expecting code: Int32
        ) throws -> [Leg] {
            let command =
                prefix + [binary, "validate", "--config", settings, "--json"] + user + words
            let text = try network.run(command, in: .pod, expecting: code)
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect(object?["ok"] as? Bool == (code == 0))
            return try #require(object?["legs"] as? [[String: String]]).map { leg in
                Leg(
                    family: leg["family"] ?? "", text: leg["leg"] ?? "", result: leg["result"] ?? "",
                    reason: leg["reason"] ?? "")
            }
        }
    }

    /// Words that run a program without capabilities.
    private static func unprivileged(_ user: Int) -> [String] {
        ["setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "--"]
    }

    @Test(
        "as root every leg is tried, and right, with the rules of each tool",
        arguments: [
            (Sidecar.Mode.redirect, Exemption.mark, "nft"), (.redirect, .user, "nft"),
            (.redirect, .user, "iptables-nft"), (.redirect, .mark, "iptables-legacy"), (.tproxy, .mark, "nft"),
            (.tproxy, .mark, "iptables-legacy"),
        ])
    func works(mode: Sidecar.Mode, exemption: Exemption, tool: String) throws {
        let pod = try Pod(mode, exemption)
        try pod.redirect("--with", tool)
        let legs = try pod.validate("--strict", expecting: 0)
        #expect(legs.count == 6 && legs.allSatisfy { $0.result == "passed" }, "\(legs)")
        #expect(Set(legs.map(\.family)) == ["ipv4", "ipv6"])
    }

    @Test("without rules it fails, for either family", arguments: Exemption.allCases)
    func withoutRules(exemption: Exemption) throws {
        let pod = try Pod(.redirect, exemption)
        let legs = try pod.validate(expecting: 1)
        for family in ["ipv4", "ipv6"] {
            let own = legs.filter { $0.family == family }
            #expect(own.map(\.result) == ["failed", "passed", "failed"], "\(own)")
            #expect(own[0].text.contains("a program's connection to another host comes to port 15001"))
            #expect(
                own[0].reason.contains("it went past the proxy") || own[0].reason.contains("it failed"), "\(own[0])")
            #expect(own[2].reason.contains("refused"), "\(own[2])")
        }
        let said = try pod.network.run(
            [PosternBinary.path(), "validate", "--config", pod.settings]
                + (exemption == .user ? ["--user", "1337"] : []), in: .pod, expecting: 1)
        #expect(said.contains("FAILED: ipv4: ") && said.contains("install the rules with `postern redirect --apply`"))
    }

    @Test("rules for one family leave the other one open, which it finds", arguments: ["ipv4", "ipv6"])
    func oneFamily(family: String) throws {
        let pod = try Pod(.redirect, .user)
        try pod.redirect("--only", family)
        let legs = try pod.validate(expecting: 1)
        #expect(legs.filter { $0.family == family }.allSatisfy { $0.result == "passed" }, "\(legs)")
        #expect(legs.filter { $0.family != family }.contains { $0.result == "failed" }, "\(legs)")
        #expect(try pod.validate("--only", family, expecting: 0).allSatisfy { $0.family == family })
        // As the proxy's own user too: by what it dials to this host.
        let own = try pod.validate(as: Self.unprivileged(1337), expecting: 1)
        #expect(own.filter { $0.result == "failed" }.map(\.family) == [family == "ipv4" ? "ipv6" : "ipv4"], "\(own)")
    }

    @Test("rules to other ports than the settings have are found, and rules that do not exempt the proxy")
    func wrongRules() throws {
        let pod = try Pod(.redirect, .user)
        let swapped = try Pod(.redirect, .user) {
            $0.replacing("15006", with: "X").replacing("15001", with: "15006").replacing("X", with: "15001")
        }
        let elsewhere = try Pod(.redirect, .user) {
            $0.replacing("15006", with: "16006").replacing("15001", with: "16001")
        }
        func apply(_ other: Pod, user: String = "1337") throws {
            try pod.network.run(
                [PosternBinary.path(), "redirect", "--apply", "--config", other.settings, "--user", user], in: .pod)
        }
        try apply(swapped)
        for leg in try pod.validate(expecting: 1) where !leg.text.contains("leaves as it is") {
            #expect(leg.result == "failed" && leg.reason.contains("it came to port"), "\(leg)")
        }
        try apply(elsewhere)
        for leg in try pod.validate(expecting: 1) where !leg.text.contains("leaves as it is") {
            #expect(leg.result == "failed" && leg.reason.contains("refused"), "\(leg)")
        }
        try apply(pod, user: "1338")
        let legs = try pod.validate(expecting: 1)
        let past = legs.filter { $0.text.contains("leaves as it is") }
        #expect(past.count == 2 && past.allSatisfy { $0.reason.contains("would come back to it") }, "\(past)")
        // Another's rule leads what the proxy dials to a port of this host.
        try apply(pod)
        try pod.network.run(
            [
                "nft",
                "table inet other { chain output { type nat hook output priority -150; "
                    + "meta skuid 1337 ip daddr 192.0.2.0/24 meta l4proto tcp redirect to :9; }; }",
            ], in: .pod)
        let led = try pod.validate(expecting: 1).filter { $0.result == "failed" }
        #expect(led.map(\.family) == ["ipv4"] && led[0].reason.contains("another rule leads it elsewhere"), "\(led)")
    }

    @Test("what it cannot try it says, and fails if it can try nothing or is to be strict")
    func untested() throws {
        let pod = try Pod(.redirect, .user)
        try pod.redirect()
        // The proxy's user: what becomes of programs it cannot see.
        let own = try pod.validate(as: Self.unprivileged(1337), expecting: 0)
        for family in ["ipv4", "ipv6"] {
            let legs = own.filter { $0.family == family }
            #expect(legs.map(\.result) == ["untested", "passed", "passed"], "\(legs)")
            #expect(legs[0].reason.contains("run it as root with CAP_SETUID"), "\(legs)")
        }
        _ = try pod.validate("--strict", as: Self.unprivileged(1337), expecting: 1)
        // Somebody else: what becomes of the proxy.
        let other = try pod.validate(as: Self.unprivileged(2000), expecting: 0)
        #expect(other.filter { $0.result == "passed" }.count == 2, "\(other)")
        #expect(other.filter { $0.result == "untested" }.count == 4, "\(other)")
        // Root with no capability but that one.
        let setuid = ["setpriv", "--bounding-set", "-all,+setuid", "--inh-caps", "-all", "--"]
        #expect(try pod.validate("--strict", as: setuid, expecting: 0).count == 6)
        // A mark takes a capability.
        let marked = try Pod(.redirect, .mark)
        try marked.redirect()
        let unmarked = try marked.validate(as: Self.unprivileged(1337), expecting: 0)
        #expect(unmarked.map(\.result) == ["passed", "untested", "untested", "passed", "untested", "untested"])
        #expect(unmarked[1].reason.contains("CAP_NET_ADMIN"))
    }

    @Test("a port that is in use, and a family without a route, are named")
    func obstacles() throws {
        try onStage(.epoll) { stage in
            let pod = try Pod(.redirect, .user)
            try pod.redirect()
            _ = try NetworkPeer.echo("127.0.0.1", 15001, in: .pod, of: pod.network, on: stage)
            let legs = try pod.validate(expecting: 1)
            #expect(legs.allSatisfy { $0.reason.contains("run this before the proxy") }, "\(legs)")
            let alone = try Pod(.redirect, .user)
            try alone.redirect()
            try alone.network.shell("ip -6 route delete default; ip -6 address flush dev eth0", in: .pod)
            let rest = try alone.validate(expecting: 0)
            #expect(rest.filter { $0.family == "ipv4" }.allSatisfy { $0.result == "passed" }, "\(rest)")
            #expect(
                rest.filter { $0.family == "ipv6" }.allSatisfy {
                    $0.result == "untested" && $0.reason.contains("no route")
                },
                "\(rest)")
            let bad = try alone.network.run(
                [PosternBinary.path(), "validate", "--config", alone.settings], in: .pod, expecting: 2)
            #expect(bad.contains("--user"), "\(bad)")
        }
    }
}
