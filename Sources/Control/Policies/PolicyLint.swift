public import Identity
import Policy
import PolicyAnalysis
public import Settings

/// What a policy file says that its author cannot have meant.
public struct PolicyLint: Sendable {
    public enum Check: String, Sendable, CaseIterable {
        case settings
        case unreachableRule = "unreachable-rule"
        case unmatchedRule = "unmatched-rule"
        case undecided = "not-analysed"

        public var summary: String {
            switch self {
            case .settings: "The settings are flawed, or say what is probably not meant."
            case .unreachableRule: "A rule decides no request that there can be."
            case .unmatchedRule: "A rule matches none of the known identities."
            case .undecided: "The policy has too many combinations of conditions to analyse."
            }
        }
    }

    public struct Finding: Sendable {
        public let check: Check
        public let flaw: SettingsFlaw
    }

    /// In the order of the file.
    public let findings: [Finding]
    public let isSound: Bool

    /// - Parameters:
    ///   - outcome: of reading the settings.
    ///   - guardrails: a file of guardrails.
    ///   - identities: those that are known; nil: nobody says.
    public init(_ read: LoadOutcome, guardrails: String? = nil, identities: [SPIFFEID]? = nil) {
        let outcome = CheckedSettings.settingsAlone(read, guardrails: guardrails)
        var findings = outcome.flaws.map { Finding(check: .settings, flaw: $0) }
        for policy in outcome.settings?.policies ?? [] {
            findings += Self.idleRules(of: policy, outcome.policies)
            if let identities { findings += Self.unmatchedRules(of: policy, identities, outcome.policies) }
        }
        isSound = outcome.settings != nil
        self.findings = findings.sorted {
            let (one, other) = ($0.flaw.position, $1.flaw.position)
            return (one.file, one.line, one.column) < (other.file, other.line, other.column)
        }
    }

    /// Those that several rules cover together; of those that one rule covers the settings warn already.
    private static func idleRules(of policy: Policy, _ sources: PolicySources) -> [Finding] {
        let known = Set(Policy.unreachableRules(of: policy.rules).map(\.index))
        do throws(WorkLimitReached) {
            return try PolicyComparison.idleRules(of: policy.rules).filter { !known.contains($0) }.map { index in
                let rule = policy.rules[index]
                let remedy =
                    rule.action == .allow ? "the deny rules and the allow rules before it" : "the deny rules before it"
                return Finding(
                    check: .unreachableRule,
                    flaw: SettingsFlaw(
                        .warning, at: sources.rule(index, of: policy.name),
                        "the rule \(quoted(rule.name)) never decides: \(remedy) match together all that it matches"))
            }
        } catch {
            return [
                Finding(
                    check: .undecided,
                    flaw: SettingsFlaw(.warning, at: sources.policy(policy.name), "\(quoted(policy.name)): \(error)"))
            ]
        }
    }

    private static func unmatchedRules(
        of policy: Policy, _ identities: [SPIFFEID], _ sources: PolicySources
    ) -> [Finding] {
        policy.rules.enumerated().compactMap { index, rule in
            guard !rule.identities.isEmpty,
                !identities.contains(where: { id in rule.identities.contains { $0.matches(id) } })
            else { return nil }
            return Finding(
                check: .unmatchedRule,
                flaw: SettingsFlaw(
                    .warning, at: sources.rule(index, of: policy.name),
                    "the rule \(quoted(rule.name)) matches none of the \(identities.count) known identities"))
        }
    }
}
