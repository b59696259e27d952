import Policy

extension Settings {
    /// Every key of the settings file, in the order in which a file is best written: the one table that known keys,
    /// suggestions and documentation are made from.
    public static let reference: [SettingReference] =
        identityKeys + FederationKeys.references + processKeys + listenerKeys + LifetimeKeys.references + policyKeys
        + LimitKey.all.map(\.reference) + [LimitKey.memoryReference]

    private static let identityKeys = [
        SettingReference(
            "identity", "mapping",
            "The proxy's own SVID and whom it trusts; needed unless SPIFFE_ENDPOINT_SOCKET is set."),
        SettingReference(
            "identity.workloadAPI", "unix:/path | tcp://IP:port",
            "Where the SPIFFE Workload API hands the identity out; without this and files, SPIFFE_ENDPOINT_SOCKET says."
        ),
        SettingReference(
            "identity.hint", "text",
            "Of several SVIDs of the Workload API, the one of this hint; without it, the first."),
        SettingReference("identity.files", "mapping", "The identity in PEM files."),
        SettingReference("identity.files.certificate", "path, required", "The SVID: leaf first, then intermediates."),
        SettingReference("identity.files.privateKey", "path, required", "The private key of the leaf."),
        SettingReference(
            "identity.files.trustBundles", "mapping of trust domains to paths, required",
            "One file of root certificates a trust domain; they are never pooled."),
        SettingReference(
            "identity.revocationLists", "mapping of trust domains to paths",
            "One file of revoked certificates (CRLs) a trust domain: PEM, or one list in DER."),
        SettingReference(
            "identity.revocation", words(RevocationMode.self), default: RevocationMode.ifPresent.rawValue,
            "ifPresent refuses whoever stands in a list of its issuer; required also whoever has no list of its "
                + "issuer that is not too old."),
    ]

    private static let processKeys = [
        SettingReference(
            "admin", "mapping", "The plaintext HTTP endpoint with /livez, /readyz and /metrics; none without it."),
        SettingReference("admin.bind", "endpoint, required", "Where it listens; port 0 lets the kernel choose."),
        SettingReference(
            "workers", "number, \(workersAllowed.lowerBound) to \(workersAllowed.upperBound)",
            "Worker threads, each with a thread of lower priority for handshakes; "
                + "without it, as many as the CPU quota, rounded up."),
        SettingReference(
            "eventLoop", words(EventLoopChoice.self), default: EventLoopChoice.auto.rawValue,
            "How workers wait: auto is io_uring where it is allowed, else epoll."),
        SettingReference("tls", "mapping", "How TLS is spoken, on both sides."),
        SettingReference(
            "tls.minVersion", words(TLSSettings.MinimumVersion.self), default: TLSSettings().minVersion.rawValue,
            "The oldest TLS version that is spoken."),
        SettingReference(
            "tls.resumption", "true | false", default: "\(TLSSettings().resumption)",
            "Whether sessions are resumed; policy is decided again each time."),
        SettingReference(
            "accessLog", "stdout | stderr | off | path", default: "stdout",
            "Where the line of each ended connection goes."),
        SettingReference("log", "mapping", "How the proxy speaks of itself, on standard error."),
        SettingReference(
            "log.level", words(LogSettings.Level.self), default: LogSettings().level.rawValue,
            "The least severe message that is written."),
        SettingReference(
            "log.format", words(LogSettings.Format.self), default: LogSettings().format.rawValue,
            "auto is text on a terminal, else JSON lines."),
    ]

    private static let listenerKeys = [
        SettingReference("listeners", "list of mappings, required", "The addresses to accept connections on."),
        SettingReference("listeners[].name", "text, required", "Named in logs; given once."),
        SettingReference(
            "listeners[].mode", "\(words(ListenerSettings.Mode.self)), required",
            "inbound: mTLS in, plaintext to the application; outbound: the other way round."),
        SettingReference("listeners[].bind", "endpoint, required", "Where to listen; port 0 lets the kernel choose."),
        SettingReference(
            "listeners[].allowRemoteCallers", "true | false", default: "false",
            "Outbound only, for a bind beyond loopback: whoever reaches it speaks with this proxy's SVID."),
        SettingReference(
            "listeners[].routes", "list of mappings, required", "Tried in order; the first that matches is taken."),
        SettingReference("listeners[].routes[].name", "text, required", "Named in logs; given once a listener."),
        SettingReference(
            "listeners[].routes[].match", "mapping", "All conditions that it names must hold; without it, all match."),
        SettingReference(
            "listeners[].routes[].match.sni", "list of server names", "Inbound only: names, or *.suffix."),
        SettingReference("listeners[].routes[].match.alpn", "list of texts", "Inbound only: ALPN protocols."),
        SettingReference(
            "listeners[].routes[].match.destinationPorts", "list of ports", "Ports or ranges such as 8000-8999."),
        SettingReference("listeners[].routes[].upstream", "mapping, required", "Where connections go."),
        SettingReference(
            "listeners[].routes[].upstream.endpoints", "list of endpoints", "Needed unless builtin is given."),
        SettingReference(
            "listeners[].routes[].upstream.allowRemoteUpstream", "true | false", default: "false",
            "Inbound only, for endpoints beyond loopback: the bytes go there in plaintext."),
        SettingReference(
            "listeners[].routes[].upstream.builtin", words(BuiltinUpstream.self),
            "Inbound only: an application inside the proxy, for load tests."),
        SettingReference("listeners[].routes[].upstream.sni", "server name", "Outbound only: the SNI to send."),
        SettingReference(
            "listeners[].routes[].upstream.identities", "list of identity patterns, required on outbound",
            "Outbound only: the SPIFFE IDs of the servers that we agree to talk to."),
        SettingReference(
            "listeners[].routes[].upstream.alpn", "list of texts", "Outbound only: the ALPN protocols to offer."),
        SettingReference(
            "listeners[].routes[].policy", "name of a policy, required on inbound",
            "Inbound only: who may use the route."),
    ]

    private static let policyKeys = [
        SettingReference("policies", "mapping of names to policies", "Who may connect, named by routes."),
        SettingReference(
            "policies.NAME.mode", words(EnforcementMode.self), default: EnforcementMode.enforce.rawValue,
            "audit logs what would be refused and lets it pass."),
        SettingReference(
            "policies.NAME.rules", "list of mappings, required",
            "Any matching deny rule refuses; else any matching allow rule accepts; else it is refused."),
        SettingReference("policies.NAME.rules[].name", "text, required", "Named in logs; given once a policy."),
        SettingReference("policies.NAME.rules[].action", "\(words(Action.self)), required", "What a match does."),
        SettingReference(
            "policies.NAME.rules[].identities", "list of identity patterns, required on allow",
            "The peer's SPIFFE ID: * is one path segment, ** at the end one or more, spiffe://*/** any trusted peer."),
        SettingReference("policies.NAME.rules[].sources", "list of address blocks", "Such as 10.0.0.0/8."),
        SettingReference("policies.NAME.rules[].destinationPorts", "list of ports", "The port the peer connected to."),
        SettingReference("policies.NAME.rules[].sni", "list of server names", "The name the peer asked for."),
        SettingReference("limits", "mapping", "What one process spends at most."),
    ]

    private static func words<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
        Choice.allCases.map(\.rawValue).joined(separator: " | ")
    }
}

/// The worker threads that may be asked for.
let workersAllowed = 1...1024
