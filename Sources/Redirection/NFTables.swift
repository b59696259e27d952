import Policy

/// The rules as nft reads them: one table of our own, replaced or removed in one transaction.
///
/// The first chain that changes a destination decides: ours come before those of others, which have -100.
public enum NFTables {
    public static let removal = "table inet postern\ndelete table inet postern\n"

    /// Replaces the table of an earlier call, if there is one. Nobody ever sees half of the rules.
    public static func rules(_ plan: RedirectionPlan) -> String {
        let chains =
            switch plan.mode {
            case .redirect: [plan.hasInbound ? inbound(plan) : [], outbound(plan)]
            case .tproxy: [prerouting(plan), plan.hasOutbound ? output(plan) : []]
            }
        let body = chains.filter { !$0.isEmpty }.map { lines in
            (["    " + lines[0]] + lines.dropFirst().map { "        " + $0 } + ["    }"]).joined(separator: "\n")
        }
        return removal + "table inet postern {\n" + body.joined(separator: "\n") + "\n}\n"
    }

    // MARK: redirect

    private static func inbound(_ plan: RedirectionPlan) -> [String] {
        var lines = ["chain inbound {", "type nat hook prerouting priority -110; policy accept;"]
        lines += inboundSkips(plan)
        return lines + each(plan, \.inboundPort) { port, _ in "meta l4proto tcp redirect to :\(port)" }
    }

    private static func outbound(_ plan: RedirectionPlan) -> [String] {
        var lines = ["chain outbound {", "type nat hook output priority -110; policy accept;"]
        for exemption in plan.exemptions {
            let own = text(exemption)
            if plan.hasInbound {
                // What the proxy dials to an address of this host comes in like everybody's; all else goes out.
                lines += inboundSkips(plan, where: "\(own) oifname \"lo\" ")
                lines += each(plan, \.inboundPort, isNamed: true) { port, family in
                    "\(own) oifname \"lo\" \(notLoopback(family)) meta l4proto tcp redirect to :\(port)"
                }
            }
            lines.append("\(own) return")
        }
        lines += exceptions(plan)
        return lines + each(plan, \.outboundPort) { port, _ in "meta l4proto tcp redirect to :\(port)" }
    }

    // MARK: tproxy

    private static func prerouting(_ plan: RedirectionPlan) -> [String] {
        var lines = [
            "chain prerouting {", "type filter hook prerouting priority mangle; policy accept;",
            "meta l4proto != tcp return",
            // Answers to connections that began here.
            "ct direction reply return",
        ]
        let routed = "iifname \"lo\" meta mark \(RedirectionPlan.routedMark)"
        lines += each(plan, \.outboundPort, isNamed: true) { port, family in
            "\(routed) meta l4proto tcp tproxy \(word(family)) to \(host(family)):\(port) accept"
        }
        guard plan.hasInbound else { return lines }
        lines += inboundSkips(plan)
        for case .mark(let mark) in plan.exemptions {
            lines += each(plan, \.inboundPort, isNamed: true) { port, family in
                "iifname \"lo\" meta mark \(mark) \(notLoopback(family)) meta l4proto tcp "
                    + "tproxy \(word(family)) to :\(port) accept"
            }
        }
        lines.append("iifname \"lo\" return")
        return lines
            + each(plan, \.inboundPort, isNamed: true) { port, family in
                "meta l4proto tcp tproxy \(word(family)) to :\(port) accept"
            }
    }

    private static func output(_ plan: RedirectionPlan) -> [String] {
        var lines = [
            "chain output {", "type route hook output priority mangle; policy accept;", "meta l4proto != tcp return",
        ]
        lines += plan.exemptions.map { "\(text($0)) return" }
        lines.append("ct direction reply return")
        lines += exceptions(plan)
        return lines + each(plan, \.outboundPort) { _, _ in "meta mark set \(RedirectionPlan.routedMark)" }
    }

    // MARK: Parts

    /// What programs of this host do without the proxy.
    private static func exceptions(_ plan: RedirectionPlan) -> [String] {
        var lines = IPFamily.allCases.map { "\(word($0)) daddr \($0.loopbackBlock) return" }
        for family in IPFamily.allCases where !plan.skippedBlocks(family).isEmpty {
            let blocks = plan.skippedBlocks(family).map(\.description).joined(separator: ", ")
            lines.append("\(word(family)) daddr { \(blocks) } return")
        }
        return lines + skips(plan.skippedOutboundPorts)
    }

    private static func inboundSkips(_ plan: RedirectionPlan, where condition: String = "") -> [String] {
        plan.inboundSkips.map { skip in
            let place =
                if let address = skip.address, let family = skip.family {
                    "\(word(family)) daddr \(address) "
                } else {
                    skip.family.map { "meta nfproto \($0.rawValue) " } ?? ""
                }
            return "\(condition)\(place)tcp dport \(skip.ports) return"
        }
    }

    private static func skips(_ ports: [PortRange]) -> [String] {
        guard !ports.isEmpty else { return [] }
        return ["tcp dport { \(ports.map(\.description).joined(separator: ", ")) } return"]
    }

    /// A line for each family that has such a listener, or one for both where they have the same.
    ///
    /// - Parameter isNamed: the line names its family by what it says.
    private static func each(
        _ plan: RedirectionPlan, _ port: KeyPath<RedirectionPlan.Listeners, UInt16?>, isNamed: Bool = false,
        _ line: (UInt16, IPFamily) -> String
    ) -> [String] {
        if !isNamed, plan.v4[keyPath: port] == plan.v6[keyPath: port] {
            return plan.v4[keyPath: port].map { [line($0, .v4)] } ?? []
        }
        return IPFamily.allCases.compactMap { family in
            guard let number = plan.listeners(family)[keyPath: port] else { return nil }
            return isNamed
                ? line(number, family)
                : "meta nfproto \(family.rawValue) \(line(number, family))"
        }
    }

    private static func text(_ exemption: RedirectionPlan.Exemption) -> String {
        switch exemption {
        case .mark(let mark): "meta mark \(mark)"
        case .user(let user): "meta skuid \(user)"
        }
    }

    private static func notLoopback(_ family: IPFamily) -> String {
        "\(word(family)) daddr != \(family.loopbackBlock)"
    }

    private static func word(_ family: IPFamily) -> String { family == .v4 ? "ip" : "ip6" }
    private static func host(_ family: IPFamily) -> String {
        family == .v4 ? family.loopback : "[\(family.loopback)]"
    }
}
