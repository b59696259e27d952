import Kubernetes
import Policy
import PosternTesting
import Testing

/// Policies of Linkerd as texts.
private struct LinkerdText {
    struct Network {
        var block: String
        var except: [String]
    }

    struct Policy {
        /// A Server's name, or nil: the namespace.
        var target: String?
        var account: String?
        var mesh: Int?
        var network: Int?
    }

    var accessPolicy: String?
    var identities: [[String]]
    var networks: [[Network]]
    var policies: [Policy]

    init(using generator: inout SeededGenerator) {
        accessPolicy = generator.pick([
            nil, nil, nil, nil, "deny", "all-authenticated", "all-unauthenticated", "cluster-authenticated", "audit",
        ])
        identities = (0..<2).map { _ in
            [generator.pick(Self.allIdentities)] + generator.some(Self.allIdentities, atMost: 2)
        }
        networks = (0..<2).map { _ in
            (0...Int.random(in: 0...1, using: &generator)).map { _ in
                Network(
                    block: generator.pick(PolicyOracle.blocks), except: generator.some(PolicyOracle.blocks, atMost: 2))
            }
        }
        policies = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            var policy = Policy(target: generator.pick([nil, "authors", "authors", "other"]))
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: policy.account = generator.pick(["x", "y"])
            case 1: policy.mesh = generator.pick([0, 1])
            default: break
            }
            if generator.chance(50) { policy.network = generator.pick([0, 1]) }
            return policy
        }
    }

    var yaml: String {
        var text = LinkerdImportTests.server(accessPolicy.map { "accessPolicy: \($0)" } ?? "")
        for (index, list) in identities.enumerated() {
            text += LinkerdImportTests.object(
                "MeshTLSAuthentication", "mesh\(index)", "identities: \(PolicyOracle.yaml(list))")
        }
        for (index, list) in networks.enumerated() {
            let items = list.map { "{cidr: '\($0.block)', except: \(PolicyOracle.yaml($0.except))}" }
            text += LinkerdImportTests.object(
                "NetworkAuthentication", "net\(index)", "networks: [\(items.joined(separator: ", "))]")
        }
        for (index, policy) in policies.enumerated() {
            let target =
                policy.target.map { "{group: policy.linkerd.io, kind: Server, name: \($0)}" }
                ?? "{kind: Namespace, name: booksapp}"
            let references = [
                policy.account.map { "{kind: ServiceAccount, name: \($0)}" },
                policy.mesh.map { "{group: policy.linkerd.io, kind: MeshTLSAuthentication, name: mesh\($0)}" },
                policy.network.map { "{group: policy.linkerd.io, kind: NetworkAuthentication, name: net\($0)}" },
            ].compactMap(\.self)
            text += LinkerdImportTests.policy("[\(references.joined(separator: ", "))]", target: target)
                .replacing("authors-policy", with: "policy\(index)")
        }
        return text
    }

    /// What the reference says; nil for a client whose identity is none of the mesh's.
    func allows(_ identity: String?, from source: String) -> Bool {
        switch accessPolicy {
        case "all-unauthenticated", "audit": return true
        case "all-authenticated" where identity != nil: return true
        case "cluster-authenticated" where identity != nil && PolicyOracle.contains("10.0.0.0/8", source): return true
        default: break
        }
        return policies.contains { policy in
            guard policy.target == nil || policy.target == "authors" else { return false }
            if let account = policy.account {
                guard identity == "\(account).booksapp.\(Self.end)" else { return false }
            }
            if let mesh = policy.mesh {
                guard let identity, identities[mesh].contains(where: { Self.matches($0, identity) }) else {
                    return false
                }
            }
            guard let network = policy.network else { return true }
            return networks[network].contains { network in
                PolicyOracle.contains(network.block, source)
                    && !network.except.contains { PolicyOracle.contains($0, source) }
            }
        }
    }

    private static func matches(_ pattern: String, _ identity: String) -> Bool {
        pattern == "*" || (pattern.hasPrefix("*.") ? identity.hasSuffix(pattern.dropFirst()) : pattern == identity)
    }

    static let end = "serviceaccount.identity.linkerd.cluster.local"
    static let allIdentities = [
        "x.booksapp.\(end)", "y.booksapp.\(end)", "x.front.\(end)", "*.front.\(end)", "*.booksapp.\(end)", "*",
        "*.\(end)",
        "*.cluster.local",
    ]
}

@Suite("An imported policy of Linkerd's")
struct LinkerdOracleTests {
    @Test("decides as a slow, obvious reading of the source does, and never allows more", arguments: 0..<2)
    func agreesWithOracle(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var importing = LinkerdImportTests.importing
        importing.clusterNetworks = ["10.0.0.0/8"]
        var (allowed, refused) = (0, 0)
        for number in 0..<100 {
            let text = LinkerdText(using: &generator)
            let imported = try importing(text.yaml)
            if number % 10 == 0 { #expect(try imported.reread() == imported.policy) }
            for _ in 0..<40 {
                let domain = generator.pick(PolicyOracle.domains)
                let (account, namespace) = (generator.pick(["x", "y"]), generator.pick(["booksapp", "front", "back"]))
                let source = generator.pick(PolicyOracle.sources)
                let isOurs = domain == "example.org"
                let expected = text.allows(
                    isOurs ? "\(account).\(namespace).\(LinkerdText.end)" : nil, from: source)
                let isAllowed = try imported.allows(
                    "spiffe://\(domain)/ns/\(namespace)/sa/\(account)", from: source, to: 15443)
                #expect(!isAllowed || expected, "wider, seed \(seed): \(account).\(namespace) \(source)\n\(text.yaml)")
                guard isOurs else { continue }
                #expect(
                    isAllowed == expected,
                    "seed \(seed): \(account).\(namespace) \(source)\n\(text.yaml)\n\(imported.text)")
                if expected { allowed += 1 } else { refused += 1 }
            }
        }
        #expect(allowed > 300 && refused > 300, "\(allowed) \(refused)")
    }
}
