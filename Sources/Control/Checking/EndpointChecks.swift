import DataPlane
import Settings
import System
import TLS

/// Checks the endpoints of routes that ask for it, once for all workers. Belongs to the control thread.
final class EndpointChecks {
    private struct Member {
        let result: (_ failure: String?) -> EndpointCheckResult
        let address: SocketAddress
        let settings: CheckSettings
        /// Of the route, if the check is a handshake.
        var context: TLSContext?
        /// Monotonic milliseconds.
        var dueAt: Int64
        var check: EndpointCheck?
    }

    private struct Place: Hashable {
        let listener: String
        let route: String
        let address: SocketAddress
    }

    /// Of the sockets that are opened from now on; 0: none.
    var mark: UInt32 = 0
    private var members: [Place: Member] = [:]
    private let loop: ControlLoop

    init(on loop: ControlLoop) { self.loop = loop }

    /// Goes over to the endpoints of this state; those that stay keep their turn.
    ///
    /// - Parameter update: what workers serve by: it has the contexts of the routes.
    func serve(_ state: DesiredState, _ update: WorkerUpdate?) {
        let now = MonotonicClock.milliseconds()
        var next: [Place: Member] = [:]
        for listener in state.settings.listeners {
            for (index, route) in listener.routes.enumerated() {
                guard let settings = route.upstream.health.check else { continue }
                let context = settings.kind == .tls ? update?.context(ofRoute: index, listener: listener.name) : nil
                // Without an SVID there is no handshake to make.
                if settings.kind == .tls, context == nil { continue }
                let endpoints = route.upstream.endpoints(state.names)
                for (number, endpoint) in endpoints.enumerated() {
                    let place = Place(listener: listener.name, route: route.name, address: endpoint.address)
                    // Not all at once.
                    let first = now + Int64(settings.everyMilliseconds * (number + 1) / endpoints.count)
                    let known = members[place].flatMap { $0.settings == settings ? $0 : nil }
                    next[place] = Member(
                        result: { failure in
                            EndpointCheckResult(
                                listener: place.listener, route: place.route, address: place.address, failure: failure)
                        }, address: endpoint.address, settings: settings, context: context,
                        dueAt: known?.dueAt ?? first, check: known?.check)
                }
            }
        }
        members = next
    }

    /// Begins and ends checks; returns what ended ones found, and the milliseconds until there is more to do.
    func tick() -> (results: [EndpointCheckResult], wait: Int?) {
        let now = MonotonicClock.milliseconds()
        var results: [EndpointCheckResult] = []
        var wait: Int?
        var underway = members.values.count { $0.check != nil }
        var isHeldBack = false
        for place in members.keys {
            guard var member = members[place] else { continue }
            if let check = member.check {
                _ = check.tick(now: now)
                if let outcome = check.outcome {
                    member.check = nil
                    underway -= 1
                    report(outcome, member, &results)
                }
            }
            if member.check == nil, member.dueAt <= now {
                if underway < Self.checksAtOnce {
                    member.dueAt = now + Int64(member.settings.everyMilliseconds)
                    let check = begin(member, now)
                    if let outcome = check.outcome {
                        report(outcome, member, &results)
                    } else {
                        member.check = check
                        underway += 1
                    }
                } else {
                    isHeldBack = true
                }
            }
            members[place] = member
            guard member.check != nil || member.dueAt > now else { continue }
            let left = member.check?.tick(now: now) ?? Int(member.dueAt - now)
            wait = min(wait ?? left, left)
        }
        // One that ends makes room, and is heard of.
        if isHeldBack, underway < Self.checksAtOnce { wait = 1 }
        return (results, wait)
    }

    private func report(
        _ outcome: EndpointCheck.Outcome, _ member: Member, _ results: inout [EndpointCheckResult]
    ) {
        switch outcome {
        case .passed: results.append(member.result(nil))
        case .failed(let reason): results.append(member.result(reason))
        case .notMade: break
        }
    }

    private func begin(_ member: Member, _ now: Int64) -> EndpointCheck {
        let patience = min(Int64(member.settings.everyMilliseconds), Self.patienceMilliseconds)
        return EndpointCheck(
            of: member.address, member.context, mark: mark, on: loop.base, deadline: now + patience
        ) { [loop] in loop.post(.endpointChecked) }
    }

    /// Each has a descriptor.
    private static let checksAtOnce = 64
    private static let patienceMilliseconds: Int64 = 2_000
}
