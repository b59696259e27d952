public import Policy
public import Settings

/// A policy that was made of others, and what its reader must know.
public struct ImportedPolicy: Sendable {
    public let policy: Policy
    /// The settings' `policies` section with this policy, each rule with a comment that names its source.
    public let text: String
    /// Where it is narrower than the source, and which objects were passed over.
    public let notes: [SettingsFlaw]
}

/// Why nothing is imported: every flaw, with its place.
public struct PolicyImportRefusal: Error, Sendable {
    public let flaws: [SettingsFlaw]
}

extension ImportedPolicy {
    /// Reads the text as part of settings, and throws what these do not take.
    func requireReadable(at position: Position) throws(SettingsFlaw) {
        let settings = """
            identity:
              files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: a.pem}}
            listeners:
              - name: in
                mode: inbound
                bind: 127.0.0.1:1
                routes: [{name: app, upstream: {endpoints: ["127.0.0.1:1"]}, policy: "\(policy.name)"}]

            """
        let outcome = Settings.parse(text: Array((settings + text).utf8), file: position.file)
        guard outcome.settings?.policies != [policy] else { return }
        let flaw = outcome.flaws.first { $0.severity == .error }?.message ?? "it is read as another one"
        throw SettingsFlaw(
            .error, at: position,
            "settings do not take what this would become (\(flaw)): import fewer policies at a time")
    }
}

/// Writes an ``ImportedPolicy``.
struct PolicyWriter {
    let target: ImportTarget
    let name: String
    /// `Istio` or `Linkerd`.
    let mesh: String
    let mode: EnforcementMode

    private var rules: [Rule] = []
    private var lines: [String] = []
    private var names: Set<String> = []
    private var bytes = 0

    init(target: ImportTarget, name: String, mesh: String, mode: EnforcementMode) {
        self.target = target
        self.name = name
        self.mesh = mesh
        self.mode = mode
    }

    /// Throws where a rule would be longer than settings may be, or an identity is none.
    mutating func add(_ result: RuleCompiler.Result) throws(SettingsFlaw) {
        let match = result.match
        let isDeny = result.action == .deny
        let everyone = match.identities == .everyone
        let hasOtherCondition = match.sources.blocks != nil || !match.ports.condition.isEmpty
        // A deny rule without identities also denies clients of plaintext; without any condition it would be refused.
        var identities: [String] = []
        if isDeny {
            identities =
                !everyone ? target.identities.denied(match.identities) : hasOtherCondition ? [] : [Self.everyPeer]
        } else {
            identities = target.identities.allowed(match.identities)
        }
        let sources = match.sources.blocks ?? []
        guard max(identities.count, sources.count, match.ports.condition.count) <= Self.valuesAtMost else {
            throw SettingsFlaw(
                .error, at: match.origin.position,
                "this needs more than \(Self.valuesAtMost) values in a condition: name what to allow, not what to "
                    + "exclude")
        }
        var patterns: [IdentityPattern] = []
        for text in identities {
            do throws(IdentityPatternFlaw) {
                patterns.append(try IdentityPattern(parsing: text))
            } catch {
                throw SettingsFlaw(.error, at: match.origin.position, "\(quoted(text)) is no identity: \(error)")
            }
        }
        append(
            Rule(
                name: unique(match.origin.name), action: result.action, identities: patterns, sources: sources,
                destinationPorts: match.ports.condition),
            from: match.origin)
        guard bytes <= Settings.bytesAtMost else {
            throw SettingsFlaw(
                .error, at: match.origin.position,
                "with this rule the policy has more than the \(Settings.bytesAtMost >> 20) MiB that settings take: "
                    + "import fewer policies at a time")
        }
    }

    /// The policy; one that allows nobody says so in a rule.
    consuming func finished(notes: [SettingsFlaw]) -> ImportedPolicy {
        if rules.isEmpty, let pattern = try? IdentityPattern(parsing: Self.everyPeer) {
            lines.append("      # Nothing that applies to the workload allows anybody.")
            append(Rule(name: "nobody", action: .deny, identities: [pattern]), from: nil)
        }
        let policy = Policy(name: name, mode: mode, rules: rules)
        let mode = mode == .audit ? ["    mode: audit"] : []
        let text = (header + ["policies:", "  \"\(name)\":"] + mode + ["    rules:"] + lines).joined(separator: "\n")
        return ImportedPolicy(policy: policy, text: text + "\n", notes: notes)
    }

    private mutating func append(_ rule: Rule, from origin: RuleOrigin?) {
        let count = lines.count
        defer { bytes += lines[count...].reduce(0) { $0 + $1.utf8.count + 1 } }
        if let origin {
            lines.append("      # \(origin.description), at \(quoted(origin.position.description))")
            lines += Set(origin.remarks).sorted().map { "      # \($0)" }
        }
        lines.append("      - name: \"\(rule.name)\"")
        lines.append("        action: \(rule.action.rawValue)")
        let conditions = [
            ("identities", rule.identities.map(\.description)), ("sources", rule.sources.map(\.description)),
            ("destinationPorts", rule.destinationPorts.map(\.description)),
        ]
        for (key, values) in conditions where !values.isEmpty {
            lines.append("        \(key):")
            lines += values.map { "          - \"\($0)\"" }
        }
        rules.append(rule)
    }

    private mutating func unique(_ name: String) -> String {
        let name = String(name.prefix(Self.nameBytesAtMost))
        guard !names.insert(name).inserted else { return name }
        var number = 2
        while !names.insert("\(name)-\(number)").inserted { number += 1 }
        return "\(name)-\(number)"
    }

    private var header: [String] {
        let port = target.port.map { "the port \($0)" } ?? "all ports"
        var lines = [
            "# \(mesh)'s policies for \(port) of the workload in the namespace \(target.namespace) "
                + "(`postern policy import`).",
            "# To do: add it to the settings of the workload's proxy, and name it in the inbound route",
            "# that leads to this workload: `policy: \"\(name)\"`. Identities are those of SVIDs of "
                + "\(target.identities.trustDomain).",
        ]
        if rules.contains(where: { !$0.destinationPorts.isEmpty }) {
            lines.append("# It is for a transparent listener: no other sees the application's ports, which rules name.")
        }
        return lines
    }

    private static let everyPeer = "spiffe://*/**"
    /// As many as the settings take in a list.
    private static let valuesAtMost = 4_096
    /// So that a number fits behind it: the settings take 128.
    private static let nameBytesAtMost = 112
}
