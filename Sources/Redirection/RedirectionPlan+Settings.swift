import Policy
public import Settings

/// Why the settings give no rules.
public struct RedirectionFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

extension RedirectionPlan {
    /// What the transparent listeners of the settings need.
    ///
    /// - Parameters:
    ///   - families: those that the host has. Each must have the same listeners: TCP of a family without them would
    ///     pass the proxy by.
    ///   - user: the proxy's, which no other program has; nil: the settings' mark tells what it dials.
    public init(_ settings: Settings, families: Set<IPFamily>, user: UInt32?) throws(RedirectionFlaw) {
        let transparent = settings.listeners.filter { $0.transparency != .off }
        guard let first = transparent.first else {
            throw RedirectionFlaw("no listener is transparent: write `transparent: redirect` or `transparent: tproxy`")
        }
        guard let other = transparent.first(where: { $0.transparency != first.transparency }) else {
            self.init(mode: first.transparency == .tproxy ? .tproxy : .redirect)
            for listener in transparent { try add(listener) }
            try checkFamilies(families)
            try exempt(settings.mark.map(UInt32.init(clamping:)), user)
            inboundSkips = Self.ownPorts(settings)
            return
        }
        throw RedirectionFlaw(
            "\"\(first.name)\" is `transparent: \(first.transparency.rawValue)` and \"\(other.name)\" is "
                + "`transparent: \(other.transparency.rawValue)`: rules for both do not go together")
    }

    // MARK: Private

    private mutating func add(_ listener: ListenerSettings) throws(RedirectionFlaw) {
        guard let bind = listener.bind.endpoint else { return }
        guard bind.port != 0 else {
            throw RedirectionFlaw("\"\(listener.name)\" has no port of its own: `bind` it to one")
        }
        let isOutbound = listener.mode == .outbound
        let isRight = bind.address.isWildcard || isOutbound && bind.address.isHostLoopback
        guard isRight else {
            let place = isOutbound ? "127.0.0.1, [::1] or the wildcard address" : "the wildcard address"
            throw RedirectionFlaw("\"\(listener.name)\" is not where rules lead to: `bind` it to \(place)")
        }
        let port: WritableKeyPath<Listeners, UInt16?> = isOutbound ? \.outboundPort : \.inboundPort
        let family: WritableKeyPath<RedirectionPlan, Listeners> = bind.address.isIPv6 ? \.v6 : \.v4
        guard self[keyPath: family][keyPath: port] == nil else {
            throw RedirectionFlaw("\"\(listener.name)\" is a second \(listener.mode.rawValue) listener of its family")
        }
        self[keyPath: family][keyPath: port] = bind.port
    }

    private mutating func checkFamilies(_ families: Set<IPFamily>) throws(RedirectionFlaw) {
        if !families.contains(.v4) { v4 = Listeners() }
        if !families.contains(.v6) { v6 = Listeners() }
        for (port, mode) in [(\Listeners.inboundPort, "inbound"), (\Listeners.outboundPort, "outbound")] {
            let having = families.filter { listeners($0)[keyPath: port] != nil }
            guard let lacking = families.subtracting(having).first, let present = having.first else { continue }
            throw RedirectionFlaw(
                "no \(mode) listener is there for \(lacking.name): its connections would pass the proxy by; add one, "
                    + "or leave \(lacking.name) out with --only \(present.rawValue)")
        }
    }

    private mutating func exempt(_ mark: UInt32?, _ user: UInt32?) throws(RedirectionFlaw) {
        if let mark { exemptions.append(.mark(mark)) }
        if let user { exemptions.append(.user(user)) }
        guard user != 0 else {
            throw RedirectionFlaw("the user 0 is everybody's who is root: give the proxy a user of its own")
        }
        if mode == .tproxy, mark == nil {
            throw RedirectionFlaw("tproxy needs a `mark` in the settings: rules cannot tell by a user what comes in")
        }
        guard mark != Self.routedMark else {
            throw RedirectionFlaw("the mark \(Self.routedMark) is what rules give to others: choose another `mark`")
        }
        guard !exemptions.isEmpty else {
            throw RedirectionFlaw(
                "what the proxy dials would come back to it: write a `mark` in the settings, or name its user with --user"
            )
        }
    }

    /// What clients of other hosts reach directly: the admin endpoint and listeners that are not transparent, where
    /// they are bound. Behind the same port of another address there may be any program.
    private static func ownPorts(_ settings: Settings) -> [InboundSkip] {
        var skips: [InboundSkip] = []
        for bind in settings.listeners.filter({ $0.transparency == .off }).compactMap(\.bind.endpoint) {
            if let skip = InboundSkip(bind, acceptsBoth: false) { skips.append(skip) }
        }
        // An admin endpoint on [::] accepts IPv4 too.
        if let bind = settings.admin?.bind {
            let endpoint = Endpoint(address: bind.address, port: bind.port)
            if let skip = InboundSkip(endpoint, acceptsBoth: true) { skips.append(skip) }
        }
        return skips
    }
}

extension RedirectionPlan.InboundSkip {
    /// Nil if no other host reaches it, or the kernel chooses the port.
    fileprivate init?(_ bind: Endpoint, acceptsBoth: Bool) {
        guard !bind.address.isLoopback, let port = PortRange(lower: bind.port, upper: bind.port) else { return nil }
        self.init(port, family: bind.address.isIPv6 ? .v6 : .v4)
        if !bind.address.isWildcard { address = bind.address } else if acceptsBoth, family == .v6 { family = nil }
    }
}

extension RedirectionFlaw {
    init(_ description: String) { self.description = description }
}

extension IPFamily {
    fileprivate var name: String { self == .v4 ? "IPv4" : "IPv6" }
}

extension IPAddress {
    fileprivate var isIPv6: Bool { if case .v6 = self { true } else { false } }
    fileprivate var isWildcard: Bool { self == .v4(0) || self == .v6(0, 0) }
    /// The one address that a local redirection leads to.
    fileprivate var isHostLoopback: Bool { self == .v4(0x7F00_0001) || self == .v6(0, 1) }
}
