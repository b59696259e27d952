/// The keys of a file of guardrails.
enum GuardrailFileKeys {
    static let guardrails = Key<Node>(
        "guardrails", .list(of: GuardrailKeys.section), need: .required, "What policies may allow at most.")

    static let section = Section([.key(guardrails)])
}

/// The keys of a guardrail.
enum GuardrailKeys {
    static let name = Key<Node>("name", .node("text"), need: .required, "Its name in messages.")
    static let listeners = Key<Node>(
        "listeners", .node("list of names"), "The inbound listeners it is for; all without it.")
    static let routes = Key<Node>("routes", .node("list of names"), "The routes it is for; all without it.")
    static let rules = Key<Node>(
        "rules", .list(of: RuleKeys.section), need: .required, "As in a policy: what they allow may be allowed.")

    static let section = Section([.key(name), .key(listeners), .key(routes), .key(rules)])
}
