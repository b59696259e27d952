/// Whether refusals are carried out or only logged.
public enum EnforcementMode: String, Sendable, CaseIterable {
    case enforce, audit
}
