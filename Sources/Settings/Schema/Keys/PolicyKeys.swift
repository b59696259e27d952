import Policy

/// The keys of a policy.
enum PolicyKeys {
    static let mode = Key<EnforcementMode>(
        "mode", .choice, "audit logs what enforce would refuse, and allows it."
    ).or(.enforce)
    static let rules = Key<Node>(
        "rules", .list(of: RuleKeys.section), need: .required,
        "Any matching deny rule refuses; else any matching allow rule allows; without a match the peer is refused.")

    static let section = Section([.key(mode), .key(rules)])
}

/// The keys of a policy's rule.
enum RuleKeys {
    static let name = Key<Node>("name", .node("text"), need: .required, "Its name in logs; unique within the policy.")
    static let action = Key<Action>("action", .choice, need: .required, "What a match does.")
    static let identities = Key<Node>(
        "identities", .node("list of identity patterns"), need: .requiredWhen("on allow"),
        "The peer's SPIFFE ID: * is one path segment, ** at the end one or more, spiffe://*/** any trusted peer.")
    static let unauthenticated = Key<Bool>(
        "unauthenticated", .boolean,
        "In place of identities: clients of plaintext, which prove nothing; an allow rule must name their sources."
    ).or(false)
    static let sources = Key<[CIDR]>(
        "sources", .addressBlocks, "Such as 10.0.0.0/8.")
    static let destinationPorts = Key<[PortRange]>(
        "destinationPorts", .ports, "The port that the peer connected to.")
    static let sni = Key<[ServerNamePattern]>("sni", .serverNames, "The server name that the peer requested.")

    static let section = Section([
        .key(name), .key(action), .key(identities), .key(unauthenticated), .key(sources), .key(destinationPorts),
        .key(sni),
    ])
}
