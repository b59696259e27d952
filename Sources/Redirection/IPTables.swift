import Policy

/// The rules as iptables-restore and ip6tables-restore read them: chains of our own, and a jump to each.
///
/// Rules of others stay as they are. A jump comes first in its chain: a rule of others that accepts a connection must
/// not lead it past the proxy.
public enum IPTables {
    /// What turns the rules that are there into those of the plan, for `--noflush`: each table in one transaction. Nil
    /// if there is nothing to do.
    ///
    /// - Parameters:
    ///   - saved: the output of iptables-save.
    ///   - plan: nil: none of our rules is to be left.
    public static func change(from saved: String, to plan: RedirectionPlan?, _ family: IPFamily) -> String? {
        let wanted = plan.map { chains($0, family) } ?? []
        let tables = Table.allCases.compactMap { table in
            change(Saved(saved, table), to: wanted.filter { $0.table == table })
        }
        return tables.isEmpty ? nil : tables.joined()
    }

    // MARK: Private

    private enum Table: String, CaseIterable {
        case nat, mangle
    }

    private struct Chain {
        let table: Table
        let name: String
        /// The chain of the kernel that jumps to it.
        let hook: String
        let rules: [String]
    }

    /// What there is of ours in a table.
    private struct Saved {
        let table: Table
        var chains: [String] = []
        /// Rules of the kernel's chains that jump to ours, without `-A`.
        var jumps: [String] = []

        init(_ text: String, _ table: Table) {
            self.table = table
            var isHere = false
            for line in text.split(separator: "\n") {
                if line.hasPrefix("*") { isHere = line.dropFirst() == table.rawValue }
                guard isHere else { continue }
                let words = line.split(separator: " ").map(String.init)
                if let first = words.first, first.hasPrefix(":"), names.contains(String(first.dropFirst())) {
                    chains.append(String(first.dropFirst()))
                } else if words.first == "-A", words.count > 3, words[words.count - 2] == "-j",
                    names.contains(words[words.count - 1])
                {
                    jumps.append(String(line.dropFirst(3)))
                }
            }
        }
    }

    private static let inboundName = "POSTERN_INBOUND"
    private static let outboundName = "POSTERN_OUTBOUND"
    private static let preroutingName = "POSTERN_PREROUTING"
    private static let outputName = "POSTERN_OUTPUT"
    private static let names: Set = [inboundName, outboundName, preroutingName, outputName]

    private static func change(_ saved: Saved, to wanted: [Chain]) -> String? {
        guard !wanted.isEmpty || !saved.chains.isEmpty else { return nil }
        var lines = ["*\(saved.table.rawValue)"]
        // A chain that is declared again is emptied.
        lines += wanted.map { ":\($0.name) - [0:0]" }
        lines += saved.jumps.map { "-D \($0)" }
        lines += wanted.flatMap { chain in chain.rules.map { "-A \(chain.name) \($0)" } }
        lines += wanted.map { "-I \($0.hook) 1 -j \($0.name)" }
        for name in saved.chains where !wanted.contains(where: { $0.name == name }) {
            lines += ["-F \(name)", "-X \(name)"]
        }
        return lines.joined(separator: "\n") + "\nCOMMIT\n"
    }

    private static func chains(_ plan: RedirectionPlan, _ family: IPFamily) -> [Chain] {
        let listeners = plan.listeners(family)
        var chains: [Chain] = []
        switch plan.mode {
        case .redirect:
            if let port = listeners.inboundPort {
                let rules = inboundSkips(plan, family) + ["-p tcp -j REDIRECT --to-ports \(port)"]
                chains.append(Chain(table: .nat, name: inboundName, hook: "PREROUTING", rules: rules))
            }
            if listeners.outboundPort != nil || listeners.inboundPort != nil {
                let rules = outbound(plan, family)
                chains.append(Chain(table: .nat, name: outboundName, hook: "OUTPUT", rules: rules))
            }
        case .tproxy:
            if listeners.outboundPort != nil || listeners.inboundPort != nil {
                let rules = prerouting(plan, family)
                chains.append(Chain(table: .mangle, name: preroutingName, hook: "PREROUTING", rules: rules))
            }
            if listeners.outboundPort != nil {
                let rules = output(plan, family)
                chains.append(Chain(table: .mangle, name: outputName, hook: "OUTPUT", rules: rules))
            }
        }
        return chains
    }

    private static func outbound(_ plan: RedirectionPlan, _ family: IPFamily) -> [String] {
        let listeners = plan.listeners(family)
        var rules: [String] = []
        for exemption in plan.exemptions {
            let own = text(exemption)
            if let port = listeners.inboundPort {
                rules += inboundSkips(plan, family, where: "\(own) -o lo ")
                rules.append("\(own) -o lo ! -d \(family.loopbackBlock) -p tcp -j REDIRECT --to-ports \(port)")
            }
            rules.append("\(own) -j RETURN")
        }
        guard let port = listeners.outboundPort else { return rules }
        return rules + exceptions(plan, family) + ["-p tcp -j REDIRECT --to-ports \(port)"]
    }

    private static func prerouting(_ plan: RedirectionPlan, _ family: IPFamily) -> [String] {
        let listeners = plan.listeners(family)
        var rules = ["-p tcp -m conntrack --ctdir REPLY -j RETURN"]
        if let port = listeners.outboundPort {
            let routed = "-i lo -p tcp -m mark --mark \(RedirectionPlan.routedMark)"
            rules.append("\(routed) -j TPROXY --on-ip \(family.loopback) --on-port \(port)")
        }
        guard let port = listeners.inboundPort else { return rules }
        rules += inboundSkips(plan, family)
        for case .mark(let mark) in plan.exemptions {
            rules.append(
                "-i lo -p tcp -m mark --mark \(mark) ! -d \(family.loopbackBlock) -j TPROXY --on-port \(port)")
        }
        return rules + ["-i lo -j RETURN", "-p tcp -j TPROXY --on-port \(port)"]
    }

    private static func output(_ plan: RedirectionPlan, _ family: IPFamily) -> [String] {
        var rules = plan.exemptions.map { "\(text($0)) -j RETURN" }
        rules.append("-p tcp -m conntrack --ctdir REPLY -j RETURN")
        return rules + exceptions(plan, family) + ["-p tcp -j MARK --set-mark \(RedirectionPlan.routedMark)"]
    }

    private static func exceptions(_ plan: RedirectionPlan, _ family: IPFamily) -> [String] {
        let blocks = [family.loopbackBlock] + plan.skippedBlocks(family).map(\.description)
        return blocks.map { "-d \($0) -j RETURN" } + skips(plan.skippedOutboundPorts)
    }

    private static func inboundSkips(
        _ plan: RedirectionPlan, _ family: IPFamily, where condition: String = ""
    ) -> [String] {
        plan.inboundSkips.filter { $0.family == nil || $0.family == family }.map { skip in
            let place = skip.address.map { "-d \($0) " } ?? ""
            return "\(condition)\(place)-p tcp --dport \(skip.ports.lower):\(skip.ports.upper) -j RETURN"
        }
    }

    private static func skips(_ ports: [PortRange]) -> [String] {
        ports.map { "-p tcp --dport \($0.lower):\($0.upper) -j RETURN" }
    }

    private static func text(_ exemption: RedirectionPlan.Exemption) -> String {
        switch exemption {
        case .mark(let mark): "-m mark --mark \(mark)"
        case .user(let user): "-m owner --uid-owner \(user)"
        }
    }
}
