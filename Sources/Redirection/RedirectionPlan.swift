public import Policy

/// Which connections of a network namespace go through a transparent proxy, and by which sockets it is recognised.
///
/// Loopback traffic of programs among themselves, and everything but TCP, is left alone.
public struct RedirectionPlan: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable {
        case redirect, tproxy
    }

    /// The proxy's listeners of one address family; nil where there is none.
    public struct Listeners: Hashable, Sendable {
        public var inboundPort: UInt16?
        /// On the loopback address of its family.
        public var outboundPort: UInt16?

        public init(inboundPort: UInt16? = nil, outboundPort: UInt16? = nil) {
            self.inboundPort = inboundPort
            self.outboundPort = outboundPort
        }
    }

    /// How rules recognise what the proxy itself dials.
    public enum Exemption: Hashable, Sendable {
        /// Its sockets' mark.
        case mark(UInt32)
        /// Its user, which no other program of the namespace has.
        case user(UInt32)
    }

    public var mode: Mode
    public var v4 = Listeners()
    public var v6 = Listeners()
    /// At least one; with `tproxy` a mark.
    public var exemptions: [Exemption] = []
    /// Connections that reach their program on this host as they are.
    public struct InboundSkip: Hashable, Sendable {
        public var ports: PortRange
        /// Nil: both.
        public var family: IPFamily?
        /// Nil: every address of this host.
        public var address: IPAddress?

        public init(_ ports: PortRange, family: IPFamily? = nil, address: IPAddress? = nil) {
            self.ports = ports
            self.family = family
            self.address = address
        }
    }

    /// Such as those to an admin endpoint that other hosts reach.
    public var inboundSkips: [InboundSkip] = []
    /// Ports of others to which programs connect as if there were no proxy.
    public var skippedOutboundPorts: [PortRange] = []
    public var skippedOutboundBlocks: [CIDR] = []

    public init(mode: Mode) { self.mode = mode }

    /// Those that have listeners. A host need not have the other one.
    public var families: [IPFamily] { IPFamily.allCases.filter { listeners($0) != Listeners() } }

    var hasInbound: Bool { v4.inboundPort != nil || v6.inboundPort != nil }
    var hasOutbound: Bool { v4.outboundPort != nil || v6.outboundPort != nil }

    func listeners(_ family: IPFamily) -> Listeners { family == .v4 ? v4 : v6 }

    func skippedBlocks(_ family: IPFamily) -> [CIDR] {
        skippedOutboundBlocks.filter { ($0.isIPv6 ? IPFamily.v6 : .v4) == family }
    }

    /// With `tproxy`, the mark of what goes to the outbound listener; the proxy's own is another one.
    static let routedMark: UInt32 = 1
    /// The table of routes for what has that mark.
    static let routingTable = 133
    /// Of the rules that lead there: before the main table.
    static let routingPriority = 10_133
}

/// An address family, as rules are written for it.
public enum IPFamily: String, CaseIterable, Sendable {
    case v4 = "ipv4"
    case v6 = "ipv6"

    /// The addresses of this host's programs among themselves.
    var loopbackBlock: String { self == .v4 ? "127.0.0.0/8" : "::1/128" }
    var loopback: String { self == .v4 ? "127.0.0.1" : "::1" }
}

extension CIDR {
    fileprivate var isIPv6: Bool { if case .v6 = network { true } else { false } }
}
