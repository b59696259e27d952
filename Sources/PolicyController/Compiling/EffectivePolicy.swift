import KubernetesAPI

/// What counts of a policy: its last accepted version. Where none was accepted, nobody is let in where it is for; what
/// is only audited would refuse nobody, and so has no effect.
struct EffectivePolicy {
    /// Nil: it has no effect.
    let checked: CheckedPolicy?
    /// Of the version that was accepted last; nil if none was.
    let generation: Int?
    /// What is wrong with the present version; none if that counts.
    let problems: [PolicyProblem]
    /// What was accepted last.
    let spec: JSONValue?

    var isAccepted: Bool { problems.isEmpty }

    init(_ policy: PosternPolicy) {
        do throws(PolicyProblems) {
            let checked = try CheckedPolicy(name: policy.name, spec: policy.spec)
            self.init(checked, generation: policy.metadata.generation, spec: policy.spec)
        } catch {
            let accepted = policy.status?["accepted"]
            // Judged again: it was an older version of this program that accepted it, perhaps.
            if let old = accepted.flatMap({ try? CheckedPolicy(name: policy.name, spec: $0["spec"]) }) {
                self.init(
                    old, generation: accepted?["generation"]?.integer, spec: accepted?["spec"], problems: error.list)
            } else {
                let closed = CheckedPolicy(closing: policy.name, spec: policy.spec)
                self.init(closed, generation: nil, spec: nil, problems: error.list)
            }
        }
    }

    /// Of a policy that is not read at all.
    init(_ policy: PosternPolicy, unread problem: PolicyProblem) {
        let accepted = policy.status?["accepted"]
        self.init(nil, generation: accepted?["generation"]?.integer, spec: accepted?["spec"], problems: [problem])
    }

    private init(_ checked: CheckedPolicy?, generation: Int?, spec: JSONValue?, problems: [PolicyProblem] = []) {
        self.checked = checked
        self.generation = generation
        self.spec = spec
        self.problems = problems
    }
}
