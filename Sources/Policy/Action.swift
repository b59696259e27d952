/// What a rule does with a connection that it matches.
public enum Action: String, Sendable, CaseIterable {
    case allow, deny
}
