public import Settings

/// What was done with one workload.
public struct WorkloadReport: Sendable {
    public enum Outcome: Hashable, Sendable {
        case injected(RedirectionChoice)
        case removed
        case skipped(SkipReason)
    }

    public let kind: String
    /// Empty where the object has none.
    public let name: String
    public let position: Position
    public let outcome: Outcome
    /// What will not work as it is.
    public let warnings: [SettingsFlaw]

    init(_ workload: Workload, _ outcome: Outcome, warnings: [SettingsFlaw] = []) {
        kind = workload.kind
        name = workload.name
        position = workload.object.position(of: workload.object.node)
        self.outcome = outcome
        self.warnings = warnings
    }
}

extension WorkloadReport: CustomStringConvertible {
    /// `file:line:column: Deployment web: injected`.
    public var description: String {
        let text =
            switch outcome {
            case .injected(.redirect): "injected"
            case .injected(.cni): "injected, with the rules of a CNI plugin"
            case .injected(.none): "injected, without rules of a firewall"
            case .removed: "the sidecar is removed"
            case .skipped(let reason): "skipped: \(reason)"
            }
        return "\(position): \(kind)\(name.isEmpty ? "" : " " + quoted(name)): \(text)"
    }
}
