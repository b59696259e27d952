import KubernetesAPI

/// What a policy has come to in one workload.
struct WorkloadReport: Hashable {
    /// Of its ConfigMap.
    let name: String
    let problem: String?
}

/// The status of a policy. Pure.
struct PolicyStatus {
    private let value: JSONValue

    /// - Parameter time: of conditions that change.
    init(_ policy: PosternPolicy, _ effective: EffectivePolicy, _ workloads: [WorkloadReport], time: String) {
        let generation = policy.metadata.generation ?? 0
        let old = policy.status?["conditions"]?.list ?? []
        func condition(_ type: String, _ holds: Bool, _ reason: String, _ message: String) -> JSONValue {
            let status = JSONValue.text(holds ? "True" : "False")
            let before = old.first { $0["type"]?.text == type }
            let since = before?["status"] == status ? before?["lastTransitionTime"] : nil
            return [
                "type": .text(type), "status": status, "reason": .text(reason), "message": .text(message),
                "observedGeneration": .integer(generation), "lastTransitionTime": since ?? .text(time),
            ]
        }
        let shown = workloads.prefix(Self.workloadsAtMost)
        let failed = workloads.filter { $0.problem != nil }
        var programmed = condition("Programmed", true, "Programmed", Self.count(workloads.count, "workload"))
        if effective.spec == nil {
            let effect = effective.checked == nil ? "it has no effect" : "nobody is let in where it is for"
            programmed = condition("Programmed", false, "NotAccepted", "no version was accepted yet: \(effect)")
        } else if workloads.isEmpty {
            programmed = condition("Programmed", false, "NoWorkloads", "it selects no pod with the sidecar")
        } else if let first = failed.first {
            programmed = condition(
                "Programmed", false, failed.count == workloads.count ? "NotProgrammed" : "PartiallyProgrammed",
                Self.cut(
                    "\(failed.count) of \(Self.count(workloads.count, "workload")): \(first.name): \(first.problem ?? "")"
                ))
        } else if !effective.isAccepted {
            programmed = condition(
                "Programmed", false, "OldVersion",
                "generation \(effective.generation ?? 0) is in use, which was accepted")
        }
        let warnings = (effective.checked?.warnings ?? []).map { "warning: \($0)" }
        let accepted =
            effective.isAccepted
            ? condition("Accepted", true, "Accepted", Self.cut(warnings.joined(separator: "\n")))
            : condition(
                "Accepted", false, "Invalid",
                Self.cut(effective.problems.prefix(Self.problemsAtMost).map { "\($0)" }.joined(separator: "\n")))
        var members: [String: JSONValue] = [
            "observedGeneration": .integer(generation), "conditions": [accepted, programmed],
            "workloads": .list(
                shown.map { report in
                    var entry: [String: JSONValue] = [
                        "configMap": .text(report.name), "programmed": .boolean(report.problem == nil),
                    ]
                    if let problem = report.problem { entry["message"] = .text(Self.cut(problem)) }
                    return .object(entry)
                }),
        ]
        // From which a version that is not accepted does not take it away.
        if let spec = effective.spec {
            members["accepted"] = ["generation": .integer(effective.generation ?? 0), "spec": spec]
        }
        value = .object(members)
    }

    /// JSON patch of the object; nil where it says all that already.
    func patch(of policy: PosternPolicy) -> JSONValue? {
        guard value != policy.status else { return nil }
        return [
            // To another value than the present one: a conflict.
            [
                "op": "replace", "path": "/metadata/resourceVersion",
                "value": .text(policy.metadata.resourceVersion ?? ""),
            ],
            ["op": "add", "path": "/status", "value": value],
        ]
    }

    private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= messageBytesAtMost ? text : String(text.prefix(messageBytesAtMost / 4)) + "..."
    }

    private static let workloadsAtMost = 100
    private static let problemsAtMost = 10
    private static let messageBytesAtMost = 4_096
}
