import Loopback
import PosternTesting

/// The settings of a proxy under test, written as a user would.
struct SettingsFile {
    struct Listener {
        var name: String
        var text: String
    }

    var role = TestIdentities.Role.server
    var listeners: [Listener]
    /// Keys of `limits`; what is not named here keeps its default.
    var limits: [String: String] = [:]
    var admin = false
    var workers = 1
    var minimumVersion = "1.3"
    var resumption = true
    /// Further keys of `tls`, as YAML.
    var tlsExtra: String?
    /// Replaces the section of that name, as YAML.
    var identity: String?
    /// Where the identity's files are; nil: beside the settings.
    var folder: String?
    /// The line of the second trust bundle.
    var partnerBundle = "      partner.test: partner-bundle.pem"
    /// Further keys of `identity`, as YAML.
    var identityExtra = ""
    var policies = Self.standardPolicies
    /// Keys that replace or follow the others, as YAML.
    var extra = ""

    static let standardPolicies = """
        policies:
          callers:
            rules:
              - name: callers
                action: allow
                identities: ["spiffe://example.org/ns/default/sa/client"]
                sources: ["127.0.0.0/8", "::1/128"]
              - {name: no-legacy, action: deny, identities: ["spiffe://example.org/ns/legacy/**"]}
          anyone-trusted:
            rules:
              - {name: all, action: allow, identities: ["spiffe://*/**"]}
          watched:
            mode: audit
            rules:
              - {name: callers, action: allow, identities: ["spiffe://example.org/ns/default/sa/client"]}

        """

    private var place: String { folder.map { $0 + "/" } ?? "" }

    private var files: String {
        """
        identity:
          files:
            certificate: \(place)\(role.rawValue).pem
            privateKey: \(place)\(role.rawValue).key
            trustBundles:
              example.org: \(place)bundle.pem
        \(partnerBundle)
        \(identityExtra)
        """
    }

    func text(loop: EventLoopKind) -> String {
        """
        \(identity ?? files)
        workers: \(workers)
        eventLoop: \(loop.rawValue)
        tls: {minVersion: "\(minimumVersion)", resumption: \(resumption)\(tlsExtra.map { ", \($0)" } ?? "")}
        \(admin ? "admin: {bind: \"127.0.0.1:0\"}\n" : "")listeners:
        \(listeners.map(\.text).joined(separator: "\n"))
        \(listeners.contains { $0.text.contains("mode: inbound") } ? policies : "")
        \(limits.isEmpty ? "" : "limits: {\(limits.map { "\($0): \($1)" }.sorted().joined(separator: ", "))}")
        \(extra)
        """
    }
}

extension SettingsFile.Listener {
    /// Mutual TLS in, plaintext to `endpoint`.
    static func inbound(
        _ name: String = "in", to endpoint: SocketAddress, bind: String = "127.0.0.1:0", policy: String = "callers",
        match: String? = nil
    ) -> Self {
        inbound(name, upstream: "{endpoints: [\"\(endpoint)\"]}", bind: bind, policy: policy, match: match)
    }

    static func inbound(
        _ name: String, upstream: String, bind: String = "127.0.0.1:0", policy: String = "anyone-trusted",
        match: String? = nil
    ) -> Self {
        Self(
            name: name,
            text: """
                  - name: \(name)
                    mode: inbound
                    bind: "\(bind)"
                    routes:
                      - name: application
                        \(match.map { "match: \($0)" } ?? "# matches all")
                        upstream: \(upstream)
                        policy: \(policy)
                """)
    }

    /// Plaintext in, mutual TLS to `endpoint`.
    static func outbound(
        _ name: String = "out", to endpoint: SocketAddress, bind: String = "127.0.0.1:0", serverName: String? = nil,
        identity: String = "spiffe://example.org/ns/default/sa/server"
    ) -> Self {
        outbound(
            name, endpoint: "\(endpoint)", bind: bind, identity: identity,
            more: serverName.map { "sni: \($0)" } ?? "# no SNI")
    }

    /// - Parameter more: a further key of the upstream.
    static func outbound(
        _ name: String, endpoint: String, bind: String = "127.0.0.1:0",
        identity: String = "spiffe://example.org/ns/default/sa/server", more: String
    ) -> Self {
        Self(
            name: name,
            text: """
                  - name: \(name)
                    mode: outbound
                    bind: "\(bind)"
                    routes:
                      - name: peer
                        upstream:
                          endpoints: ["\(endpoint)"]
                          identities: ["\(identity)"]
                          \(more)
                """)
    }
}
