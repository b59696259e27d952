/// Whether refusals are enforced or only logged.
public enum EnforcementMode: String, Sendable, CaseIterable {
    case enforce, audit
}
