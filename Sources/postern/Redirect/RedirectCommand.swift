public import ArgumentParser
import Commands
import Control
import Policy
public import Redirection
import Settings
import System

struct RedirectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redirect",
        abstract: "Install, remove or print the firewall's rules for transparent listeners.",
        usage: """
            postern redirect --apply --config <file> [<options>]
            postern redirect --print --config <file> [<options>]
            postern redirect --remove [--with <with>]
            """,
        discussion: """
            The rules follow from the settings: the ports of the transparent listeners, `mark`, and the admin endpoint, \
            which is never redirected. They are applied in the network namespace of this process, all at once, and \
            replace those of an earlier call; rules of others stay as they are. It takes CAP_NET_ADMIN.
            Exit codes: 0 done, 1 the firewall refused, 2 bad input.
            """)

    enum Action: String, EnumerableFlag {
        case apply, remove, print

        static func help(for value: Action) -> ArgumentHelp? {
            switch value {
            case .apply: "Install the rules, and with tproxy the routes."
            case .remove: "Remove them, whatever installed them."
            case .print: "Print what --apply would run, as a shell script."
            }
        }
    }

    @Flag var action: Action

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings file (YAML); not for --remove.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("with"),
        help: "What loads the rules; auto is nft where it works, else iptables-nft, else iptables-legacy.")
    var firewall = Firewall.Choice.auto

    @Option(help: ArgumentHelp("The proxy's user, which no other program has; the rules exempt it.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("Leave the other address family alone.", valueName: "ipv4|ipv6"))
    var only: IPFamily?

    @Option(
        help: ArgumentHelp(
            "Ports of this host that clients reach without the proxy, such as 22,9100-9199; repeatable.",
            valueName: "ports"))
    var skipInboundPorts: [CommaList<PortRange>] = []

    @Option(
        help: ArgumentHelp(
            "Ports to which programs connect without the proxy; repeatable.", valueName: "ports"))
    var skipOutboundPorts: [CommaList<PortRange>] = []

    @Option(
        help: ArgumentHelp(
            "Addresses to which programs connect without the proxy, such as 10.0.0.0/8; repeatable.",
            valueName: "cidrs"))
    var skipOutboundAddresses: [CommaList<CIDR>] = []

    func run() throws {
        switch action {
        // Whatever the settings say now: they were others when the rules were made.
        case .remove: try Firewall.remove(choice: firewall)
        case .apply: try Firewall.apply(plan(), choice: firewall)
        case .print: Console.write(Firewall.script(try plan(), firewall))
        }
    }

    private func plan() throws -> RedirectionPlan {
        guard let config else { throw BadInput("--config is missing: the rules follow from the settings") }
        var (_, plan) = try RedirectionPlan.load(config, user: user, only: only)
        plan.inboundSkips += skipInboundPorts.flatMap(\.elements).map { RedirectionPlan.InboundSkip($0) }
        plan.skippedOutboundPorts += skipOutboundPorts.flatMap(\.elements)
        plan.skippedOutboundBlocks += skipOutboundAddresses.flatMap(\.elements)
        return plan
    }
}

extension IPFamily: ExpressibleByArgument {}

/// Elements with commas between them, such as `22,9100-9199` or `10.0.0.0/8,fd00::/8`.
struct CommaList<Element: ParsedElement>: ExpressibleByArgument {
    let elements: [Element]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let elements = parts.compactMap { try? Element(parsing: String($0)) }
        guard elements.count == parts.count else { return nil }
        self.elements = elements
    }
}

protocol ParsedElement {
    init(parsing text: String) throws
}

extension PortRange: ParsedElement {}
extension CIDR: ParsedElement {}
