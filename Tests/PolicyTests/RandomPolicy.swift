import Identity
import Policy
import PosternTesting

/// A rule as text, from alphabets so small that matches are common.
struct RuleText: Sendable {
    var isDeny: Bool
    var identities: [String]
    /// Then it names no identities.
    var isUnauthenticated = false
    var sources: [String]
    var ports: [String]
    var names: [String]

    init(using generator: inout SeededGenerator) {
        isDeny = generator.pick([true, false, false])
        identities = generator.some(Self.allIdentities, atMost: 3)
        sources = generator.some(Self.allSources, atMost: 2)
        ports = generator.some(["1", "2", "1-2", "2-4", "3-3", "1-65535"], atMost: 2)
        names = generator.some(["a.test", "b.test", "*.test", "*.a.test", "A.B.test", "test"], atMost: 2)
        isUnauthenticated = identities.isEmpty && Bool.random(using: &generator)
        // Half of the conditions are left out.
        if Bool.random(using: &generator) { sources = [] }
        if Bool.random(using: &generator) { ports = [] }
        if Bool.random(using: &generator) { names = [] }
    }

    func rule(named name: String) throws -> Rule {
        Rule(
            name: name, action: isDeny ? .deny : .allow,
            identities: try identities.map { try IdentityPattern(parsing: $0) },
            isUnauthenticated: isUnauthenticated,
            sources: try sources.map { try CIDR(parsing: $0) },
            destinationPorts: try ports.map { try PortRange(parsing: $0) },
            serverNames: try names.map { try ServerNamePattern(parsing: $0) })
    }

    private static let allIdentities = ["a", "b", "*"].flatMap { domain in
        ["/x", "/y", "/*", "/**", "/x/y", "/x/*", "/x/**", "/*/y", "/*/*", "/*/**", "/x/y/x", "/x/*/x", "/*/y/**"]
            .map { "spiffe://" + domain + $0 }
    }

    private static let allSources = [
        "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.2.2/31", "::/0", "2001:db8::/32", "2001:db8::1",
        "2001:db8:0:0:8000::/65", "::ffff:10.0.0.0/104",
    ]
}

/// A request as text, from the alphabets that rules are made of.
struct RequestText: Sendable {
    /// Nil: plaintext.
    var identity: String?
    var source: String
    var port: UInt16
    var name: String?

    var request: Request {
        get throws {
            guard let source = IPAddress(parsing: source) else { preconditionFailure("the alphabet holds addresses") }
            return Request(
                identity: try identity.map { try SPIFFEID(parsing: $0) }, source: source, destinationPort: port,
                serverName: name)
        }
    }

    init(using generator: inout SeededGenerator) {
        identity = generator.pick(Self.identities + [nil, nil])
        source = generator.pick(Self.sources)
        port = generator.pick(Self.ports)
        name = generator.pick(Self.names)
    }

    private static let identities: [String?] = ["a", "b", "c"].flatMap { domain in
        ["/x", "/y", "/xy", "/x/y", "/x/x", "/y/y", "/x/y/x", "/y/y/y", "/x/y/x/y"].map { "spiffe://" + domain + $0 }
    }
    private static let sources = [
        "10.1.2.3", "10.1.2.4", "10.2.0.1", "192.0.2.1", "::ffff:10.1.2.3", "2001:db8::1", "2001:db8::8000:0:0:1",
        "::1",
    ]
    private static let ports: [UInt16] = [1, 2, 3, 5]
    private static let names = ["a.test", "A.Test.", "b.test", "x.a.test", "a.b.test", "test", nil]
}
