import DataPlane
import EventLoop
import Glibc
import Redirection
import Settings
import System

/// Tries the rules of a plan with real connections. Blocks for some hundred milliseconds for each that must not come.
struct RedirectionTrial {
    enum Outcome: Equatable {
        case passed
        case failed(reason: String)
        case untested(reason: String)

        var isFailure: Bool { if case .failed = self { true } else { false } }
        var isUntested: Bool { if case .untested = self { true } else { false } }
    }

    struct Result {
        let leg: ValidationLeg
        let outcome: Outcome
    }

    private let settings: Settings
    private let plan: RedirectionPlan

    init(_ settings: Settings, _ plan: RedirectionPlan) {
        self.settings = settings
        self.plan = plan
    }

    func run() -> [Result] {
        var doors: [TrialDoor] = []
        var obstacle: String?
        do throws(TrialFault) {
            for listener in settings.listeners where listener.transparency != .off {
                guard let bind = listener.bind.endpoint.map(SocketAddress.init),
                    plan.families.contains(bind.isIPv6 ? .v6 : .v4)
                else { continue }
                doors.append(try TrialDoor(bind, isTransparent: plan.mode == .tproxy))
            }
        } catch {
            obstacle = error.reason
        }
        return plan.legs.map { leg in
            if let obstacle { return Result(leg: leg, outcome: .failed(reason: obstacle)) }
            do throws(TrialFault) {
                return Result(leg: leg, outcome: try attempt(leg, doors))
            } catch {
                return Result(leg: leg, outcome: .untested(reason: error.reason))
            }
        }
    }

    // MARK: Private

    private func attempt(_ leg: ValidationLeg, _ doors: [TrialDoor]) throws(TrialFault) -> Outcome {
        let remote = SocketAddress(Endpoint(address: leg.family.addressOfNobody, port: ValidationLeg.port))
        guard let own = TrialSocket.localAddress(towards: remote) else {
            throw TrialFault("this host has no route for \(leg.family.rawValue): nothing of it leaves")
        }
        let target = leg.way.isInbound ? own.with(port: remote.port) : remote
        let socket = try TrialSocket(leg.caller, isIPv6: leg.family == .v6, exempt: plan.exemptions)
        let patience = leg.way == .past ? Self.absenceMilliseconds : Self.patienceMilliseconds
        let end = end(of: socket, to: target, doors, milliseconds: patience)
        switch (leg.way, end) {
        case (.past, .absent(let errno)): return try Self.departure(errno)
        case (.past, .came(let arrival)):
            return .failed(reason: "it came to port \(arrival.port): what the proxy dials would come back to it")
        case (.outbound(let port), .came(let arrival)), (.inbound(let port), .came(let arrival)):
            guard arrival.port == port else {
                return .failed(reason: "it came to port \(arrival.port), and not to \(port)")
            }
            guard arrival.destination == target else {
                let found = arrival.destination.map { "\($0.text)" } ?? "unknown"
                return .failed(reason: "its destination, \(target.text), is \(found) when it comes")
            }
            return .passed
        case (.outbound(let port), .absent(let errno)), (.inbound(let port), .absent(let errno)):
            return .failed(reason: Self.absence(port, errno))
        }
    }

    /// Whether a connection that has come to no listener of ours has left the host.
    private static func departure(_ errno: Int32) throws(TrialFault) -> Outcome {
        switch errno {
        case 0, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: return .passed
        // The first router drops it before anybody could refuse it.
        case ECONNREFUSED: return .failed(reason: "it was refused on this host: another rule leads it elsewhere")
        case let code: throw TrialFault("it did not leave: \(systemMessage(code))")
        }
    }

    private static func absence(_ port: UInt16, _ errno: Int32) -> String {
        switch errno {
        // A time-out, or the first router's word: it has left this host.
        case 0, ETIMEDOUT, EHOSTUNREACH: "it went past the proxy: no rule leads it to port \(port)"
        case ECONNREFUSED: "it was refused: no rule leads it to port \(port), or one leads to another port"
        case let code: "it failed: \(systemMessage(code))"
        }
    }

    /// What became of a connection.
    private enum End {
        case came(TrialDoor.Arrival)
        /// Zero if its connect has not failed.
        case absent(errno: Int32)
    }

    private func end(
        of socket: borrowing TrialSocket, to target: SocketAddress, _ doors: [TrialDoor], milliseconds: Int64
    ) -> End {
        let deadline = MonotonicClock.milliseconds() + milliseconds
        let refusal = socket.connect(to: target)
        while let caller = socket.localPort {
            for door in doors { if let arrival = door.arrival(from: caller) { return .came(arrival) } }
            let left = deadline - MonotonicClock.milliseconds()
            // A connection that has failed comes nowhere any more.
            let failure = refusal != 0 ? refusal : socket.pendingError
            guard left > 0, failure == 0 else { return .absent(errno: failure) }
            TrialDoor.wait(for: doors, milliseconds: Int32(clamping: min(left, 20)))
        }
        return .absent(errno: refusal)
    }

    private static let patienceMilliseconds: Int64 = 2_000
    /// Connections that are led to a port of this host are there at once.
    private static let absenceMilliseconds: Int64 = 300
}

extension RedirectionTrial.Result {
    /// What was tried, in words.
    var description: String {
        let who =
            switch leg.caller {
            case .program: "a program's connection"
            case .proxy(.mark(let mark)): "a connection of the proxy (mark \(mark))"
            case .proxy(.user(let user)): "a connection of the proxy (user \(user))"
            }
        switch leg.way {
        case .outbound(let port): return "\(leg.family.rawValue): \(who) to another host comes to port \(port)"
        case .past: return "\(leg.family.rawValue): \(who) to another host leaves as it is"
        case .inbound(let port): return "\(leg.family.rawValue): \(who) to this host comes to port \(port)"
        }
    }
}

extension ValidationLeg.Way {
    fileprivate var isInbound: Bool { if case .inbound = self { true } else { false } }
}

extension SocketAddress {
    fileprivate func with(port: UInt16) -> SocketAddress {
        if let v4 { return SocketAddress(v4: v4, port: port) }
        let (high, low) = v6 ?? (0, 0)
        return SocketAddress(v6: high, low, port: port, scopeID: scopeID)
    }
}

/// Why something could not be tried.
struct TrialFault: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
