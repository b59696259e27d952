/// The keys at the top of the file.
enum RootKeys {
    static let identity = Key<Node>(
        "identity", .mapping(IdentityKeys.section),
        "The proxy's own SVID and whom it trusts; needed unless SPIFFE_ENDPOINT_SOCKET is set.")
    static let admin = Key<AdminSettings>(
        "admin", .mapping(AdminKeys.section) { $0.admin($1) },
        "The plaintext HTTP endpoint with /livez, /readyz and /metrics; none without it.")
    static let accessLog = Key<AccessLogChoice>(
        "accessLog",
        ValueType(
            (AccessLogChoice.named.compactMap(\.word) + ["path"]).joined(separator: " | "), written: \.word,
            read: { $0.accessLog($1) }),
        "Where the line of each ended connection goes.")
    static let listeners = Key<Node>(
        "listeners", .list(of: ListenerKeys.section), need: .required, "The addresses to accept connections on.")
    static let policies = Key<Node>(
        "policies", .mapping(of: "names to policies", "NAME", PolicyKeys.section), "Who may connect, named by routes.")

    /// The schema of a whole file.
    static let section = Section(
        of: Settings(identity: .workloadAPI(WorkloadIdentity(address: .unix(path: ""), revocation: .off))),
        [
            .key(identity),
            .key(admin, at: \.admin, appliesAt: .start),
            .key(
                Key(
                    "workers", .count(1...1024),
                    "Worker threads, each with a thread of lower priority for handshakes; "
                        + "without it, as many as the CPU quota, rounded up."),
                at: \.workers, appliesAt: .start),
            .key(
                Key("eventLoop", .choice, "How workers wait: auto is io_uring where it is allowed, else epoll."),
                at: \.eventLoop, appliesAt: .start),
            .section("tls", TLSKeys.section, at: \.tls, "How TLS is spoken, on both sides."),
            .key(accessLog, at: \.accessLog, appliesAt: .start),
            .section(
                "log", LogKeys.section, at: \.log, appliesAt: .start,
                "How the proxy speaks of itself, on standard error."),
            .key(listeners),
            .key(policies),
            .section("limits", LimitKeys.section, at: \.limits, "What one process spends at most."),
        ])
}

/// The keys of `admin`.
enum AdminKeys {
    static let bind = Key<Node>(
        "bind", .node("endpoint"), need: .required, "Where it listens; port 0 lets the kernel choose.")

    static let section = Section([.key(bind)])
}

/// The keys of `tls`.
enum TLSKeys {
    static let section = Section(
        of: TLSSettings(),
        [
            .key(Key("minVersion", .choice, "The oldest TLS version that is spoken."), at: \.minVersion),
            .key(
                Key("resumption", .boolean, "Whether sessions are resumed; policy is decided again each time."),
                at: \.resumption),
        ])
}

/// The keys of `log`.
enum LogKeys {
    static let section = Section(
        of: LogSettings(),
        [
            .key(Key("level", .choice, "The least severe message that is written."), at: \.level),
            .key(Key("format", .choice, "auto is text on a terminal, else JSON lines."), at: \.format),
        ])
}
