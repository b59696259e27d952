import KubernetesAPI

/// What was found about a version of a policy.
struct Judgement {
    let uid: String?
    let resourceVersion: String?
    let effective: EffectivePolicy
    /// Of what counts of it.
    let digest: Int

    init(_ policy: PosternPolicy) {
        uid = policy.metadata.uid
        resourceVersion = policy.metadata.resourceVersion
        effective = EffectivePolicy(policy)
        digest = effective.checked.hashValue
    }

    func isOf(_ policy: PosternPolicy) -> Bool {
        resourceVersion != nil && resourceVersion == policy.metadata.resourceVersion && uid == policy.metadata.uid
    }
}

/// What a workload's settings were compiled from, and what came of it. The text, which may have 1 MiB, is not kept.
struct Settlement {
    /// Of all that they were compiled from.
    let source: Int
    /// Of the data of the ConfigMap; nil where there is no text.
    let digest: Int?
    let problem: String?
    let remarks: [String: String]
}
