import ArgumentParser
import Commands
import Control
import Redirection
import System

/// Loads rules by the programs of the host.
enum Firewall {
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case auto, nft
        case iptablesNFT = "iptables-nft"
        case iptablesLegacy = "iptables-legacy"
    }

    /// One that works here.
    private enum Tool: CaseIterable {
        case nft, iptablesNFT, iptablesLegacy

        /// Whether it can read the rules of this network namespace.
        var works: Bool { run(attempt)?.status == 0 }

        /// A command that reads them.
        var attempt: [String] {
            switch self {
            case .nft: ["nft", "list", "tables"]
            case .iptablesNFT, .iptablesLegacy: [name(.v4, ""), wait, "-t", "nat", "-S", "OUTPUT"]
            }
        }

        func name(_ family: IPFamily, _ suffix: String) -> String {
            (family == .v4 ? "iptables" : "ip6tables") + (self == .iptablesNFT ? "-nft" : "-legacy") + suffix
        }
    }

    /// Installs the rules with one tool, and then removes those of an earlier call with another one.
    static func apply(_ plan: RedirectionPlan, choice: Choice) throws {
        let tool = try chosen(choice)
        // Before the rules: what they mark must find its way to the proxy, or it goes past it.
        if plan.mode == .tproxy { try route(plan) }
        switch tool {
        case .nft: try require(["nft", "-f", "-"], input: NFTables.rules(plan))
        case .iptablesNFT, .iptablesLegacy:
            for family in IPFamily.allCases { try change(tool, to: plan, family) }
        }
        for other in Tool.allCases where other != tool { try remove(other) }
        if plan.mode != .tproxy { unroute() }
    }

    /// Removes the rules of all tools, or of one, and the routes.
    static func remove(choice: Choice) throws {
        let tools = choice == .auto ? try working() : [try chosen(choice)]
        for tool in tools { try remove(tool) }
        unroute()
    }

    /// What ``apply(_:choice:)`` runs where no rules are yet.
    static func script(_ plan: RedirectionPlan, _ choice: Choice) -> String {
        var lines = ["set -eu"]
        if plan.mode == .tproxy {
            for family in plan.families {
                lines += RoutingChange.addition(family).map { words in
                    let line = words.joined(separator: " ")
                    // A rule that is there already is an error.
                    return words.contains("rule") ? "\(line) 2>/dev/null || true" : line
                }
            }
        }
        let tool: Tool =
            switch choice {
            case .auto, .nft: .nft
            case .iptablesNFT: .iptablesNFT
            case .iptablesLegacy: .iptablesLegacy
            }
        func document(_ command: String, _ text: String) -> String { "\(command) <<'RULES'\n\(text)RULES" }
        switch tool {
        case .nft: lines.append(document("nft -f -", NFTables.rules(plan)))
        case .iptablesNFT, .iptablesLegacy:
            for family in IPFamily.allCases {
                guard let text = IPTables.change(from: "", to: plan, family) else { continue }
                lines.append(document("\(tool.name(family, "-restore")) \(wait) --noflush", text))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The first tool that works here, and why those before it do not.
    static func examine() -> FirewallFacts {
        var facts = FirewallFacts()
        for tool in Tool.allCases {
            let command = run(tool.attempt)
            guard command?.status != 0 else {
                facts.working = tool.attempt[0]
                break
            }
            // The first line has the reason; the others of iptables' tell what to try.
            let reason = command.map { $0.errors.split(separator: "\n").first.map(String.init) ?? "it fails" }
            facts.reasons.append("\(tool.attempt[0]): \(reason ?? "not installed")")
        }
        return facts
    }

    // MARK: Private

    /// For iptables: how long it waits for others of its kind, in seconds.
    private static let wait = "--wait=10"

    private static func chosen(_ choice: Choice) throws -> Tool {
        switch choice {
        case .nft: return .nft
        case .iptablesNFT: return .iptablesNFT
        case .iptablesLegacy: return .iptablesLegacy
        case .auto:
            return try working()[0]
        }
    }

    /// At least one.
    private static func working() throws -> [Tool] {
        let tools = Tool.allCases.filter(\.works)
        guard tools.isEmpty else { return tools }
        throw BadInput(
            "neither nft nor iptables works here: install one of them, and run this as root or with "
                + "CAP_NET_ADMIN (securityContext.capabilities.add: [NET_ADMIN] in Kubernetes)")
    }

    private static func remove(_ tool: Tool) throws {
        switch tool {
        case .nft:
            // Its table is removed where nft is there; elsewhere it cannot have been made.
            guard run(["nft", "list", "table", "inet", "postern"])?.status == 0 else { return }
            try require(["nft", "-f", "-"], input: NFTables.removal)
        case .iptablesNFT, .iptablesLegacy:
            for family in IPFamily.allCases { try change(tool, to: nil, family) }
        }
    }

    private static func change(_ tool: Tool, to plan: RedirectionPlan?, _ family: IPFamily) throws {
        guard let saved = run([tool.name(family, "-save")]), saved.status == 0 else {
            guard plan?.families.contains(family) == true else { return }
            let remedy = family == .v6 ? "; where the host has no IPv6, leave it out with --only ipv4" : ""
            throw BadInput("\(tool.name(family, "-save")) does not work here\(remedy)")
        }
        guard let text = IPTables.change(from: saved.output, to: plan, family) else { return }
        try require([tool.name(family, "-restore"), wait, "--noflush"], input: text)
    }

    private static func route(_ plan: RedirectionPlan) throws {
        for words in plan.families.flatMap(RoutingChange.addition) {
            try require(words, unless: "File exists")
        }
    }

    private static func unroute() {
        for words in IPFamily.allCases.flatMap(RoutingChange.removal) { _ = run(words) }
    }

    /// Nil if there is no such program.
    private static func run(_ words: [String]) -> ChildCommand? { try? ChildCommand(words) }

    /// - Parameter reason: of a failure that is none.
    private static func require(_ words: [String], input: String = "", unless reason: String? = nil) throws {
        let command: ChildCommand
        do throws(ChildFault) {
            command = try ChildCommand(words, input: input)
        } catch {
            throw BadInput("\(words[0]) cannot be run: \(systemMessage(error.errno))")
        }
        if command.status != 0, reason.map(command.errors.contains) != true {
            Console.complain("error: \(words.joined(separator: " ")) failed:\n\(command.errors)")
            throw ExitCode.refused
        }
    }
}
