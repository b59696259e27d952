import Foundation
import Loopback
import PosternTesting
import Testing

/// A proxy in a pod, set up as the page on transparent mode says.
final class Sidecar {
    enum Mode: String, CaseIterable, Sendable {
        case redirect, tproxy
    }

    /// What loads which rules.
    enum Firewall: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// Those of the page.
        case nft
        case iptablesLegacy = "iptables-legacy"
        /// Those of `postern redirect`.
        case redirectNFT = "redirect --with nft"
        case redirectIPTablesNFT = "redirect --with iptables-nft"
        case redirectIPTablesLegacy = "redirect --with iptables-legacy"

        static let ofPage: [Self] = [.nft, .iptablesLegacy]
        static let ofCommand: [Self] = [.redirectNFT, .redirectIPTablesNFT, .redirectIPTablesLegacy]

        var testDescription: String { rawValue }
    }

    let network: Network
    let proxy: ProxyUnderTest
    let settings: String
    private let stage: Stage

    /// - Parameter change: changes the page's settings.
    init(
        _ mode: Mode, _ firewall: Firewall, on stage: Stage, change: (String) -> String = { $0 }
    ) throws {
        let network = try stage.keep(Network())
        let page = try TransparentPage()
        let settings = change(page.settings(mode))
        let isOfPage = Firewall.ofPage.contains(firewall)
        if mode == .tproxy, isOfPage { try network.shell(page.routes, in: .pod) }
        switch firewall {
        case .nft: try network.nft(page.nft(mode), in: .pod)
        case .iptablesLegacy:
            let commands = "iptables() { iptables-legacy \"$@\"; }\nip6tables() { ip6tables-legacy \"$@\"; }\n"
            try network.shell(commands + page.iptables(mode), in: .pod)
        case .redirectNFT, .redirectIPTablesNFT, .redirectIPTablesLegacy:
            let path = try stage.folder.write(Self.text(settings, stage), to: "redirect.yaml")
            let words = firewall.rawValue.split(separator: " ").map(String.init) + ["--apply", "--config", path]
            try network.run([PosternBinary.path()] + words, in: .pod)
        }
        self.network = network
        self.stage = stage
        self.settings = settings
        proxy = try stage.proxy(text: Self.text(settings, stage), in: network.prefix(.pod))
    }

    /// Changes the settings while the proxy runs.
    func reload(_ change: (String) -> String) throws {
        try proxy.replace(Self.text(change(settings), stage), in: stage.folder)
        try proxy.awaitReload()
    }

    private static func text(_ settings: String, _ stage: Stage) -> String {
        settings + "\neventLoop: \(stage.loop.rawValue)\nworkers: 1\n"
    }

    /// A value of /metrics, which only the pod reaches.
    func metric(_ name: String) throws -> Int? {
        let script = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:15000/metrics').read().decode())"
        let text = try network.run(["python3", "-c", script], in: .pod)
        return Metrics.sum(of: name, in: text)
    }
}

/// The examples of the page on transparent mode.
struct TransparentPage {
    private let blocks: [(language: String, text: String)]

    init() throws {
        blocks = try DocumentedBlock.all(of: "Transparent")
        try #require(blocks.map(\.language) == ["yaml", "nft", "sh", "sh", "nft", "sh"])
    }

    func settings(_ mode: Sidecar.Mode) -> String {
        guard mode == .tproxy else { return blocks[0].text }
        return blocks[0].text.replacing("transparent: redirect", with: "transparent: tproxy")
            .replacing("    mode: inbound\n", with: "    mode: inbound\n    keepSource: true\n")
    }

    func nft(_ mode: Sidecar.Mode) -> String { blocks[mode == .redirect ? 1 : 4].text }
    func iptables(_ mode: Sidecar.Mode) -> String { blocks[mode == .redirect ? 2 : 5].text }
    var routes: String { blocks[3].text }
}

/// `network_peer.py` in a namespace.
enum NetworkPeer {
    static func command(_ words: [String]) throws -> [String] {
        ["python3", try #require(Bundle.module.path(forResource: "network_peer", ofType: "py"))] + words
    }

    /// An echo; its output has a line for each caller.
    static func echo(
        _ address: String, _ port: Int, kind: String = "tcp", in place: Network.Place, of network: Network,
        on stage: Stage
    ) throws -> ChildProcess {
        let process = stage.keep(
            try network.start(command(["serve", kind, address, "\(port)"]), in: place))
        guard process.standardOutput.awaitLine(within: .seconds(20), { $0 == "serving" ? true : nil }) != nil else {
            throw HarnessFault.peerNotReady("network_peer.py", log: process.standardError.text)
        }
        return process
    }

    /// Sends one line and waits for the end; what came back, line by line.
    static func call(
        _ address: String, _ port: Int, kind: String = "tcp", from place: Network.Place, of network: Network,
        text: String = "hello"
    ) throws -> [String] {
        let process = try network.start(command(["call", kind, address, "\(port)"]), in: place)
        process.write(Array("\(text)\n".utf8))
        process.closeInput()
        _ = process.awaitExit(within: .seconds(20))
        let output = process.standardOutput.text
        return output.split(separator: "\n").map(String.init)
    }

    /// A connection that stays open.
    static func talk(
        _ address: String, _ port: Int, from place: Network.Place, of network: Network, on stage: Stage
    ) throws -> ChildProcess {
        stage.keep(try network.start(command(["call", "tcp", address, "\(port)"]), in: place))
    }
}
