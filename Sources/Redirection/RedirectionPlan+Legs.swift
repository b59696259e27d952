public import Policy

/// A connection that shows whether the rules of a plan are in force.
public struct ValidationLeg: Hashable, Sendable {
    public enum Caller: Hashable, Sendable {
        /// Any program but the proxy.
        case program
        case proxy(RedirectionPlan.Exemption)
    }

    public enum Way: Hashable, Sendable {
        /// To another host: it must come to this port of ours.
        case outbound(port: UInt16)
        /// To another host: it must come to no port of ours.
        case past
        /// To this host's own address: it must come to this port.
        case inbound(port: UInt16)
    }

    public let family: IPFamily
    public let caller: Caller
    public let way: Way

    public init(family: IPFamily, caller: Caller, way: Way) {
        self.family = family
        self.caller = caller
        self.way = way
    }
}

extension ValidationLeg {
    /// To which port a leg to another host goes: one that rules hardly except.
    public static let port: UInt16 = 60_009
}

extension IPFamily {
    /// Of nobody, because it is for documentation (RFC 5737, RFC 3849): where a leg to another host goes.
    public var addressOfNobody: IPAddress {
        self == .v4 ? .v4(0xC000_0201) : .v6(0x2001_0DB8_0000_0000, 1)
    }
}

extension RedirectionPlan {
    /// What connections from this host can show, in order: for each family that programs come to the proxy, that the
    /// proxy itself does not, and that what it dials to this host comes in like everybody's.
    ///
    /// What comes from other hosts passes other rules, of the same transaction; nobody on this host can try those.
    public var legs: [ValidationLeg] {
        families.flatMap { family -> [ValidationLeg] in
            let ports = listeners(family)
            var legs: [ValidationLeg] = []
            if let port = ports.outboundPort {
                legs.append(ValidationLeg(family: family, caller: .program, way: .outbound(port: port)))
                legs += exemptions.map { ValidationLeg(family: family, caller: .proxy($0), way: .past) }
            }
            if let port = ports.inboundPort {
                legs += exemptions.map { ValidationLeg(family: family, caller: .proxy($0), way: .inbound(port: port)) }
            }
            return legs
        }
    }
}
