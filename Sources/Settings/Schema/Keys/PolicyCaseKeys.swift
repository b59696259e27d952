import Policy

/// The keys of a file of policy tests.
enum PolicyCaseFileKeys {
    static let settings = Key<String>("settings", .path, "The settings, relative to this file; or --config.")
    static let cases = Key<Node>(
        "cases", .list(of: PolicyCaseKeys.section), need: .required, "Connections, and what becomes of them.")

    static let section = Section([.key(settings), .key(cases)])
}

/// The keys of one case.
enum PolicyCaseKeys {
    static let name = Key<Node>("name", .node("text"), need: .required, "Its name in the report; unique.")
    static let listener = Key<Node>("listener", .node("text"), need: .required, "The listener that accepts.")
    static let identity = Key<Node>("identity", .node("SPIFFE ID"), "The peer's.")
    static let plaintext = Key<Bool>("plaintext", .boolean, "In place of identity: the client proves nothing.").or(
        false)
    static let source = Key<Node>("source", .node("IP address"), "The client's; 127.0.0.1 without it.")
    static let sni = Key<Node>("sni", .node("text"), "The server name that the client requests.")
    static let alpn = Key<Node>("alpn", .node("text"), "The negotiated ALPN protocol.")
    static let port = Key<Int>("port", .count(1...65_535), "The destination port; the listener's without it.")
    static let destination = Key<Node>(
        "destination", .node("address with port"), "On a transparent listener: where the client wants to go.")
    static let expect = Key<PolicyExpectation>("expect", .choice, need: .required, "What becomes of it.")
    static let route = Key<Node>("route", .node("text"), "The route that it must take.")
    static let rule = Key<Node>("rule", .node("text"), "The rule that must decide.")

    static let section = Section([
        .key(name), .key(listener), .key(identity), .key(plaintext), .key(source), .key(sni), .key(alpn), .key(port),
        .key(destination), .key(expect), .key(route), .key(rule),
    ])
}
