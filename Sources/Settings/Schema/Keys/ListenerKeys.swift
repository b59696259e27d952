import Policy

/// The keys of a listener.
enum ListenerKeys {
    static let name = Key<Node>("name", .node("text"), need: .required, "Its name in logs; unique.")
    static let mode = Key<ListenerSettings.Mode>(
        "mode", .choice, need: .required,
        "inbound: mTLS in, plaintext to the application; outbound: plaintext in, mTLS to the peer.")
    static let bind = Key<Node>(
        "bind", .node("endpoint or Unix socket"), need: .required,
        "Where to listen: address and port (0 lets the kernel choose), unix:/path, or unix:@name (abstract).")
    static let socket = Key<Node>(
        "socket", .mapping(SocketKeys.section), "The file of a Unix socket; a dead process's is replaced.")
    static let callers = Key<Node>(
        "callers", .mapping(CallerKeys.section),
        "Who may use a Unix socket: a caller needs one of the users or groups; without it, whoever can connect.")
    static let allowRemoteCallers = Key<Bool>(
        "allowRemoteCallers", .boolean,
        "Outbound only: permits a bind beyond loopback, where anyone who reaches it uses this proxy's SVID."
    ).or(false)
    static let acceptProxyProtocol = Key<Node>(
        "acceptProxyProtocol", .mapping(AcceptProxyProtocolKeys.section),
        "Inbound only: load balancers that say in a PROXY protocol header, version 1 or 2, who connects.")
    static let clientCertificates = Key<ClientCertificates>(
        "clientCertificates", .choice,
        "Inbound only: permissive also takes plaintext, where a rule with unauthenticated lets it in."
    ).or(.required)
    static let detectionTimeout = Key<Int>(
        "detectionTimeout", .duration(1...10_000),
        "Permissive only: a client that is silent for so long is taken for one of plaintext that waits for the server."
    ).or(50)
    static let serverFirst = Key<[PortRange]>(
        "serverFirst", .ports,
        "Permissive only: ports whose clients all send plaintext and wait for the server; nothing is waited for there.")
    static let terminate = Key<[ServerNamePattern]>(
        "terminate", .serverNames,
        "Permissive only: the names (SNI) whose TLS is ours; other TLS passes through untouched, as plaintext would.")
    static let transparent = Key<Transparency>(
        "transparent", .choice,
        "How it gets connections meant for other addresses: redirect is a REDIRECT rule, tproxy a TPROXY rule, which "
            + "takes CAP_NET_ADMIN.")
    static let keepSource = Key<Bool>(
        "keepSource", .boolean, "Inbound with tproxy only: dials the application from the caller's address.")
    static let unmatched = Key<UnmatchedConnections>(
        "unmatched", .choice,
        "Outbound and transparent only: passthrough relays what no route matches to where it wanted to go, in "
            + "plaintext.")
    static let routes = Key<Node>(
        "routes", .list(of: RouteKeys.section), need: .required,
        "Tried in order; the first match wins.")

    static let section = Section(
        of: ListenerSettings(name: "", mode: .inbound, bind: .ip(Endpoint(address: .v4(0), port: 0)), routes: []),
        [
            .key(name), .key(mode), .key(bind), .key(allowRemoteCallers), .key(socket), .key(callers),
            .key(acceptProxyProtocol), .key(clientCertificates), .key(detectionTimeout), .key(serverFirst),
            .key(terminate), .key(transparent, at: \.transparency), .key(keepSource, at: \.keepsSource),
            .key(unmatched, at: \.unmatched), .key(routes),
            .key(
                Key(
                    "expiry", .choice,
                    "When the peer's certificate expires: quiet closes at the first pause of a second, close at once, "
                        + "finish lets the connection finish."),
                at: \.expiry),
            .key(
                Key(
                    "expiryGrace", .duration(0...86_400_000),
                    "How long a connection that never pauses may outlive its peer's certificate or maxConnectionAge."),
                at: \.expiryGraceMilliseconds),
            .key(
                Key(
                    "maxConnectionAge", .duration(1_000...30 * 86_400_000),
                    "Closes connections of this age, plus or minus a tenth, at the first pause of a second."),
                at: \.maxConnectionAgeMilliseconds),
        ])
}

/// The keys of a Unix socket's file.
enum SocketKeys {
    static let section = Section(
        of: SocketAccess(),
        [
            .key(
                Key(
                    "mode", ValueType("octal digits") { $0.permissions($1) },
                    "Its permissions, such as \"0660\"; by default 0600, or 0666 with callers."),
                at: \.mode),
            .key(Key("user", .user, "Its owner: a name or number."), at: \.user),
            .key(Key("group", .group, "Its group: a name or number."), at: \.group),
        ])
}

/// The keys of a Unix socket's callers.
enum CallerKeys {
    static let users = Key<[UInt32]>(
        "users", ValueType("list of users") { $0.list($1, of: "users", atMost: 1_024) { $0.user($1) } },
        "Users of this host, by name or number.")
    static let groups = Key<[UInt32]>(
        "groups", ValueType("list of groups") { $0.list($1, of: "groups", atMost: 1_024) { $0.group($1) } },
        "Groups of this host, by name or number; supplementary ones count.")
    static let section = Section(
        of: CallerSettings(), [.key(users, at: \.users), .key(groups, at: \.groups)])
}

/// Whose PROXY protocol headers a listener takes.
enum AcceptProxyProtocolKeys {
    static let from = Key<[CIDR]>(
        "from", .addressBlocks, need: .required,
        "The balancers' addresses; from them a header must come, from anyone else it is refused.")

    static let section = Section([.key(from)])
}

/// The keys of a listener's route.
enum RouteKeys {
    static let name = Key<Node>("name", .node("text"), need: .required, "Its name in logs; unique within the listener.")
    static let match = Key<Node>(
        "match", .mapping(MatchKeys.section), "All given conditions must hold; without it, every connection matches.")
    static let upstream = Key<Node>(
        "upstream", .mapping(UpstreamKeys.section), need: .required, "Where the route forwards to.")
    static let policy = Key<Node>(
        "policy", .node("name of a policy"), need: .requiredWhen("on inbound"),
        "Inbound only: who may use the route.")

    static let section = Section([.key(name), .key(match), .key(upstream), .key(policy)])
}

/// The conditions of a route.
enum MatchKeys {
    static let sni = Key<[ServerNamePattern]>("sni", .serverNames, "Inbound only: names, or *.suffix.")
    static let alpn = Key<[String]>("alpn", .applicationProtocols, "Inbound only: ALPN protocols.")

    static let destinations = Key<[Destination]>(
        "destinations",
        ValueType("list of address blocks or names") {
            $0.condition($1, of: "address blocks or names") { $0.destination($1) }
        },
        "Transparent listeners only: where the client wanted to go, such as 10.96.0.0/12 or the DNS name of a service.")

    static let section = Section(
        of: RouteMatch(),
        [
            .key(sni, at: \.serverNames),
            .key(alpn, at: \.applicationProtocols),
            .key(destinations, at: \.destinations),
            .key(
                Key(
                    "destinationPorts", .ports,
                    "Ports or ranges such as 8000-8999; on a transparent listener, those that the client wanted."),
                at: \.destinationPorts),
        ])
}

/// The keys of a route's upstream.
enum UpstreamKeys {
    static let endpoints = Key<Node>(
        "endpoints", .node("list of endpoints and names"),
        "IP:port, name:port, or srv:name for the targets of SRV records. Needed unless builtin or original is given.")
    static let resolve = Key<ResolveSettings>(
        "resolve", .mapping(ResolveKeys.section) { $0.value(of: ResolveKeys.section, $1) },
        "How the names among the endpoints are looked up.")
    static let preconnect = Key<Int>(
        "preconnect", .count(0...1_000),
        "Outbound only: the most handshaken connections that are kept ready, shared among the workers; as many as were"
            + " needed lately, at least one.")
    static let allowRemoteUpstream = Key<Bool>(
        "allowRemoteUpstream", .boolean,
        "Inbound only: permits endpoints beyond loopback, which are reached in plaintext."
    ).or(false)
    static let builtin = Key<BuiltinUpstream>(
        "builtin", .choice, "Inbound only: an application built into the proxy, for load tests.")
    static let original = Key<Bool>(
        "original", .boolean,
        "Transparent listeners only: dials where the client wanted to go; inbound, its port on loopback."
    ).or(false)
    static let sni = Key<String>(
        "sni", ValueType("server name") { $0.serverName($1) }, "Outbound only: the SNI to send.")
    static let identities = Key<Node>(
        "identities", .node("list of identity patterns"), need: .requiredWhen("on outbound"),
        "Outbound only: the SPIFFE IDs accepted from the server.")
    static let alpn = Key<[String]>("alpn", .applicationProtocols, "Outbound only: the ALPN protocols to offer.")
    static let sendProxyProtocol = Key<ProxyProtocolVersion>(
        "sendProxyProtocol", .choice,
        "Inbound only: tells the application who connects, and whom the certificate names, before the first byte.")

    static let section = Section(
        of: UpstreamSettings(target: .endpoints([])),
        [
            .key(endpoints), .key(resolve, at: \.resolve),
            .key(
                Key(
                    "balance", .choice,
                    "leastConnections picks two endpoints at random and takes the one with fewer connections, weighed by"
                        + " the time to connect; roundRobin takes them in turn; first the first that is in service."),
                at: \.balance),
            .section("health", HealthKeys.section, at: \.health, "When an endpoint is out of service."),
            .key(
                Key(
                    "connectionsPerEndpoint", .count(0...1_000_000),
                    "Open connections to one endpoint, shared among the workers; 0: no limit. Further ones wait for a"
                        + " place, for limits.connectTimeout at most."),
                at: \.connectionsPerEndpoint),
            .key(
                Key(
                    "retries", .count(0...16),
                    "How many other endpoints are tried if a connect or handshake fails; never after a byte was sent."),
                at: \.retries),
            .key(preconnect, at: \.preconnect),
            .key(allowRemoteUpstream), .key(builtin), .key(original), .key(sni, at: \.serverName), .key(identities),
            .key(alpn, at: \.applicationProtocols), .key(sendProxyProtocol, at: \.sendProxyProtocol),
        ])
}

/// The keys of an upstream's `health`.
enum HealthKeys {
    static let check = Key<CheckSettings>(
        "check", .mapping(CheckKeys.section) { $0.value(of: CheckKeys.section, $1) },
        "Checks each endpoint, once for all workers; then an ejected one returns when a check passes.")

    static let section = Section(
        of: HealthSettings(),
        [
            .key(
                Key(
                    "failures", .count(0...1_000),
                    "So many failed connects in a row, on an outbound route also handshakes, eject an endpoint, but never"
                        + " more than half of all; 0: none is ejected."),
                at: \.failures),
            .key(
                Key(
                    "ejectFor", .duration(100...3_600_000),
                    "How long a first ejection lasts; a further one twice as long, up to 5m. Then one connection tries"
                        + " the endpoint, and its share grows for this time."),
                at: \.ejectForMilliseconds),
            .key(check, at: \.check),
        ])
}

/// The keys of an upstream's `health.check`.
enum CheckKeys {
    static let section = Section(
        of: CheckSettings(),
        [
            .key(Key("every", .duration(100...3_600_000), "The time between two checks."), at: \.everyMilliseconds),
            .key(
                Key("kind", .choice, "tcp connects; tls, outbound only, also completes a handshake."), at: \.kind),
        ])
}

/// The keys of an upstream's `resolve`.
enum ResolveKeys {
    static let section = Section(
        of: ResolveSettings(),
        [
            .key(
                Key(
                    "every", .duration(1_000...86_400_000),
                    "The longest time between two lookups; the TTL of an answer shortens it, to one second at least."),
                at: \.everyMilliseconds),
            .key(
                Key(
                    "family", .choice,
                    "auto dials the family that the system prefers, and the other one if that fails or takes 250 ms."),
                at: \.family),
            .key(
                Key(
                    "addresses", .choice,
                    "Of each name: all its addresses, or the first for as long as it stays in the answers."),
                at: \.addresses),
            .key(
                Key(
                    "server", ValueType("endpoint") { $0.endpoint($1, port: .mustBeNamed) },
                    "The DNS server to ask; without it, those of the host."),
                at: \.server),
        ])
}
