import Identity
import Policy
import Settings
import SVID
import TLS

/// Why a peer is denied.
enum Denial {
    case listenerRemoved, identityWithdrawn, noRoute, policy
    case certificate(SVIDRefusal)

    /// The close reason of a connection that has just completed its handshake.
    var atAdmission: CloseReason {
        switch self {
        case .listenerRemoved: .listenerRemoved
        case .identityWithdrawn: .identityWithdrawn
        case .noRoute: .noRoute
        case .policy: .policyDenied
        case .certificate: .certificateRefused
        }
    }

    /// The close reason of a connection that was admitted before.
    var later: CloseReason {
        switch self {
        case .listenerRemoved: .listenerRemoved
        case .identityWithdrawn: .identityWithdrawn
        case .noRoute: .routeRemoved
        case .policy, .certificate(.identityNotExpected): .policyChanged
        case .certificate(.revoked): .revoked
        case .certificate(.revocationUnknown): .revocationUnknown
        case .certificate: .bundleRemoved
        }
    }

    var code: String? { if case .certificate(let refusal) = self { refusal.rawValue } else { nil } }
}

extension Worker {
    /// Authorizes a connection with a complete handshake, or an inbound one of plaintext, by the current plan, and
    /// notes what the decision rests on; nil if it is allowed.
    ///
    /// - Parameter rechecksPeer: its certificate was verified under an earlier plan.
    mutating func denial(_ slot: Int32, rechecksPeer: Bool) -> Denial? {
        let index = connections[slot].listener
        switch listeners[index].service {
        case .serving: break
        case .withoutIdentity: return .identityWithdrawn
        case .removed: return .listenerRemoved
        }
        let peer = connections[slot].peer
        guard peer != nil || connections[slot].machine.isPlain else {
            preconditionFailure("a complete handshake without a peer")
        }
        let plan = listeners[index].plan
        if peer == nil {
            guard let permissive = plan.permissive else {
                connections[slot].detail = "the listener requires client certificates now"
                return .policy
            }
            if let name = connections[slot].passedName, permissive.terminates(name) {
                connections[slot].detail = "the TLS that passed through is for a name of \"terminate\" now"
                return .policy
            }
        }
        let isInbound = plan.mode == .inbound
        let verdict = plan.verdict(
            on: AccessRequest(
                identity: peer?.id, source: connections[slot].source.endpoint.address,
                destinationPort: connections[slot].destinationPort,
                destination: connections[slot].destination?.endpoint.address,
                serverName: isInbound ? connections[slot].serverName ?? connections[slot].passedName : nil,
                applicationProtocol: isInbound ? connections[slot].applicationProtocol : nil))
        if let objection = plan.objection(to: connections[slot].caller) {
            connections[slot].detail = objection
            return .policy
        }
        if let balancer = connections[slot].balancer, !isBalancer(balancer, index) {
            connections[slot].detail = "the load balancer that named its source is not listed any more"
            return .policy
        }
        let before = connections[slot].allowingRule
        let route: Int
        switch verdict {
        case .noRoute: return .noRoute
        case .policy(let index, let decision):
            route = index
            connections[slot].decision = decision
        case .identities(let index, _): route = index
        }
        connections[slot].plan = plan
        connections[slot].route = route
        guard verdict.forwards else {
            guard case .policy(_, let decision) = verdict else { return .certificate(.identityNotExpected) }
            if decision.ruleIndex == nil, let before {
                connections[slot].detail = "no rule allows it any more; it had been allowed by \"\(before)\""
            }
            return .policy
        }
        guard let peer else {
            connections[slot].round = round
            return nil
        }
        var notAfter = peer.chainNotAfter
        if rechecksPeer {
            do throws(SVIDRefusal) {
                let recheck = try listeners[index].contexts[isInbound ? 0 : route].recheck(peer)
                notAfter = recheck.notAfter
                if recheck.builtPath { builtPaths += 1 }
            } catch {
                return .certificate(error)
            }
        }
        connections[slot].round = round
        setExpiry(slot, notAfter: notAfter)
        return nil
    }
}

extension Connection {
    /// The name of the rule that its admission rests on.
    fileprivate var allowingRule: String? {
        guard let route, let index = decision?.ruleIndex, let policy = plan.routes[route].policy else { return nil }
        return policy.rules[index].name
    }
}
