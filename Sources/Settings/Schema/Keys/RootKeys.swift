/// The keys at the top of the file.
enum RootKeys {
    static let identity = Key<Node>(
        "identity", .mapping(IdentityKeys.section),
        "The proxy's own SVID and trust bundles; required unless SPIFFE_ENDPOINT_SOCKET is set.")
    static let admin = Key<AdminSettings>(
        "admin", .mapping(AdminKeys.section) { $0.admin($1) },
        "The plaintext HTTP endpoint with /livez, /readyz and /metrics; none without it.")
    static let accessLog = Key<AccessLogChoice>(
        "accessLog",
        ValueType(
            (AccessLogChoice.named.compactMap(\.word) + ["path"]).joined(separator: " | "), written: \.word,
            read: { $0.accessLog($1) }),
        "Where the access log is written: one line per connection, when it ends.")
    static let mark = Key<Int>(
        "mark", .count(1...0xFFFF_FFFF),
        "The mark (SO_MARK) of every socket that the proxy dials with, by which firewall rules exempt them; "
            + "takes CAP_NET_ADMIN.")
    static let listeners = Key<Node>(
        "listeners", .list(of: ListenerKeys.section), need: .required,
        "The addresses to accept connections on, and their routes.")
    static let policies = Key<Node>(
        "policies", .mapping(of: "names to policies", "NAME", PolicyKeys.section),
        "Who may use a route; routes refer to policies by name.")

    /// The schema of a whole file.
    static let section = Section(
        of: Settings(identity: .workloadAPI(WorkloadIdentity(address: .unix(path: ""), revocation: .off))),
        [
            .key(identity),
            .key(admin, at: \.admin, appliesAt: .start),
            .key(
                Key(
                    "workers", .count(1...1024),
                    "Worker threads, each with a lower-priority handshake thread; "
                        + "without it, as many as the CPU quota, rounded up."),
                at: \.workers, appliesAt: .start),
            .key(
                Key(
                    "eventLoop", .choice,
                    "The kernel interface of the event loop: auto is io_uring where the kernel allows it, else epoll."),
                at: \.eventLoop, appliesAt: .start),
            .section(TLSKeys.name, TLSKeys.section, at: \.tls, "TLS options, for both sides."),
            .key(accessLog, at: \.accessLog, appliesAt: .start),
            .section(
                "log", LogKeys.section, at: \.log, appliesAt: .start,
                "The proxy's own log, on standard error."),
            .key(mark, at: \.mark),
            .key(listeners),
            .key(policies),
            .section("limits", LimitKeys.section, at: \.limits, "Limits of one process."),
        ])
}

/// The keys of `admin`.
enum AdminKeys {
    static let bind = Key<Node>(
        "bind", .node("endpoint"), need: .requiredWhen("without socket"),
        "Where it listens; port 0 lets the kernel choose.")
    static let socket = Key<Node>(
        "socket", .mapping(AdminSocketKeys.section), "A Unix socket where it listens as well, or alone.")
    static let allowChanges = Key<Bool>(
        "allowChanges", .boolean, "Whether POST /drain and /quit are taken at bind too, and not at the socket alone."
    ).or(false)

    static let section = Section([.key(bind), .key(socket), .key(allowChanges)])
}

/// The keys of the admin endpoint's Unix socket.
enum AdminSocketKeys {
    static let path = Key<Node>(
        "path", .node("absolute path"), need: .required, "Its file, in a folder that exists.")

    static let section = Section(
        of: SocketAccess(),
        [
            .key(path),
            .key(
                Key("mode", ValueType("octal digits") { $0.permissions($1) }, "Its permissions; by default 0600."),
                at: \.mode),
            .key(Key("user", .user, "Its owner: a name or number."), at: \.user),
            .key(Key("group", .group, "Its group: a name or number."), at: \.group),
        ])
}

/// The keys of `tls`.
enum TLSKeys {
    static let name = "tls"
    static let keyExchange = Key<[TLSSettings.KeyExchange]>(
        "keyExchange", .keyExchange,
        "Key exchange groups, in order of preference; without it X25519MLKEM768 (where OpenSSL has it), X25519, P-256 "
            + "and P-384. There are also SecP256r1MLKEM768, SecP384r1MLKEM1024 and P-521.")

    static let fips = Key<Bool>(
        "fips", .boolean,
        "Whether all cryptography comes from OpenSSL's FIPS provider, without which the proxy then does not start.")

    static let section = Section(
        of: TLSSettings(),
        [
            .key(Key("minVersion", .choice, "The lowest TLS version accepted."), at: \.minVersion),
            .key(keyExchange, at: \.keyExchange),
            .key(
                Key(
                    "resumption", .boolean,
                    "Whether TLS sessions are resumed; policy is decided again on each resumption."),
                at: \.resumption),
            .key(fips, at: \.fips, appliesAt: .start),
        ])
}

/// The keys of `log`.
enum LogKeys {
    static let section = Section(
        of: LogSettings(),
        [
            .key(Key("level", .choice, "The least severe level that is written."), at: \.level),
            .key(Key("format", .choice, "auto is text on a terminal, else JSON lines."), at: \.format),
        ])
}
