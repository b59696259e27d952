public import Policy

/// An address that a name stands for.
public struct ResolvedAddress: Hashable, Sendable {
    public var address: IPAddress
    /// Nil where the name has no SRV records: whoever uses the name adds the port.
    public var port: UInt16?
    /// The host that the SRV record names; nil where there is none.
    public var target: String?
    /// Of the SRV record (RFC 2782): lower ones are used first.
    public var priority: UInt16 = 0
    /// Of the SRV record: relative to others of the same priority.
    public var weight: UInt16 = 1

    public init(
        _ address: IPAddress, port: UInt16? = nil, target: String? = nil, priority: UInt16 = 0, weight: UInt16 = 1
    ) {
        self.address = address
        self.port = port
        self.target = target
        self.priority = priority
        self.weight = weight
    }

    public var isIPv6: Bool { if case .v6 = address { true } else { false } }

    /// Whether it can be the address of an upstream: neither unspecified, which the kernel takes for this host, nor
    /// multicast.
    var isUsable: Bool {
        switch address {
        case .v4(let bits): bits >> 24 != 0 && bits >> 28 < 0xE
        case .v6(let high, let low): (high, low) != (0, 0) && high >> 56 != 0xFF
        }
    }
}

/// What a lookup found.
public struct NameAnswer: Hashable, Sendable {
    /// In the resolver's order of preference (RFC 6724).
    public var addresses: [ResolvedAddress]
    /// The shortest of all records that it rests on.
    public var ttlSeconds: Int
    /// The name that DNS answered for, with its search domain; nil if the host knew it without DNS.
    public var fullName: String?

    public init(addresses: [ResolvedAddress], ttlSeconds: Int) {
        self.addresses = addresses
        self.ttlSeconds = ttlSeconds
    }
}

extension NameAnswer {
    /// The addresses to use: each once, at most ``addressesAtMost``, and in an order in which an answer that only
    /// turned its records round is the same answer. The family that the resolver prefers comes first.
    func usable(onlyFirst: Bool, keeping current: [ResolvedAddress]) -> [ResolvedAddress] {
        let found = addresses.filter(\.isUsable)
        guard let first = found.first else { return [] }
        if onlyFirst { return [current.first.flatMap { found.contains($0) ? $0 : nil } ?? first] }
        return Array(NameAnswer(addresses: found, ttlSeconds: ttlSeconds).ordered().prefix(Self.addressesAtMost))
    }

    /// All addresses, each once, those of the first one's family first.
    func ordered() -> [ResolvedAddress] {
        guard let first = addresses.first else { return [] }
        return Set(addresses).sorted { one, other in
            if one.priority != other.priority { return one.priority < other.priority }
            if one.isIPv6 != other.isIPv6 { return one.isIPv6 == first.isIPv6 }
            if one.address != other.address { return one.address.precedes(other.address) }
            return (one.port ?? 0, one.weight, one.target ?? "") < (other.port ?? 0, other.weight, other.target ?? "")
        }
    }

    /// More than one name has in practice; whoever answers must not make every worker's tables grow.
    public static let addressesAtMost = 256
}

extension IPAddress {
    fileprivate func precedes(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4(let one), .v4(let two)): one < two
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)): (high, low) < (otherHigh, otherLow)
        case (.v4, .v6): true
        case (.v6, .v4): false
        }
    }
}
