/// The endpoints of one route, as one worker sees them: which one the next connection is given to, and which ones are
/// out of service. Pure: times are monotonic nanoseconds and handed in, and so are random numbers.
///
/// An endpoint that fails `failuresToEject` times in a row is ejected, for longer each time, but never more than half
/// of all: where most fail, the fault may be ours, and the others must not be overrun. Its first connection afterwards
/// is a trial; if that succeeds it gets a share that grows.
public struct EndpointGroup: Sendable {
    /// What to do with a connection.
    public enum Choice: Hashable, Sendable {
        /// It counts as a connection of the endpoint from now on.
        case dial(EndpointID)
        /// Every endpoint that is left has as many connections as it may.
        case wait
        /// None is left to try.
        case none
    }

    /// A change of an endpoint's service.
    public enum News: Hashable, Sendable {
        case ejected(EndpointID, failures: Int, nanoseconds: UInt64)
        case returned(EndpointID)
    }

    public private(set) var policy: BalancingPolicy
    private var endpoints: [EndpointState] = []
    /// The listed ones, in their order.
    private var listed: [EndpointID] = []
    /// Those that the next connection may be given to.
    private var active: [EndpointID] = []
    /// When an ejection ends.
    private var nextReturnAt = UInt64.max
    private var turn = 0
    /// Names of which the other family answered last.
    private var turnedNames: Set<Int> = []

    public init(_ policy: BalancingPolicy) { self.policy = policy }

    /// The IDs of the listed endpoints, in their order.
    public var ids: [EndpointID] { listed }

    /// Lists these endpoints; the others are given no more connections. What is known of those that stay is kept.
    /// Returns their IDs.
    public mutating func list(_ members: [Member], _ policy: BalancingPolicy, now: UInt64) -> [EndpointID] {
        self.policy = policy
        for index in endpoints.indices { endpoints[index].isListed = false }
        listed = []
        // Those that stay first, so that nobody else is given their places.
        for member in members {
            guard let id = member.id else { continue }
            endpoints[Int(id)].isListed = true
            endpoints[Int(id)].member = member
        }
        var free = endpoints.indices.filter { endpoints[$0].isOver(now: now) }[...]
        for member in members {
            if let id = member.id {
                listed.append(id)
            } else if let place = free.popFirst() {
                endpoints[place] = EndpointState(member)
                listed.append(EndpointID(place))
            } else {
                endpoints.append(EndpointState(member))
                listed.append(EndpointID(endpoints.count - 1))
            }
        }
        if policy.failuresToEject == 0 { for id in listed { endpoints[Int(id)].health = .serving } }
        rebuild(now: now)
        return listed
    }

    /// Whether an endpoint that is listed no more can be forgotten.
    public func isOver(_ id: EndpointID, now: UInt64) -> Bool { endpoints[Int(id)].isOver(now: now) }

    /// The endpoint for a connection, which counts among its connections from now on.
    ///
    /// - Parameters:
    ///   - tried: those that this connection has tried.
    ///   - random: decides between endpoints.
    public mutating func choose(tried: [EndpointID] = [], now: UInt64, random: UInt64) -> Choice {
        if now >= nextReturnAt { rebuild(now: now) }
        if tried.isEmpty, !active.isEmpty { return choose(from: active, now: now, random: random) }
        let left = listed.filter { !tried.contains($0) }
        // Then those of the other family and of higher tiers; at last, rather than none, those out of service.
        for candidates in [left.filter(isActive), left.filter { !isOut($0) }, left] where !candidates.isEmpty {
            return choose(from: candidates, now: now, random: random)
        }
        return .none
    }

    /// Whether the endpoint's name has endpoints of the other family as well.
    public func hasOtherFamily(_ id: EndpointID) -> Bool { endpoints[Int(id)].member.name != nil }

    /// An endpoint of the same name and the other family, for a connect beside or right after that to `id` (RFC 8305,
    /// section 5); the connection counts among its own from now on. Nil if none is in service, open and untried.
    public mutating func chooseRival(
        of id: EndpointID, tried: [EndpointID] = [], now: UInt64, random: UInt64
    ) -> EndpointID? {
        let member = endpoints[Int(id)].member
        guard endpoints[Int(id)].isListed, let name = member.name else { return nil }
        if now >= nextReturnAt { rebuild(now: now) }
        let rivals = listed.filter { other in
            let found = endpoints[Int(other)].member
            return found.name == name && found.isOtherFamily != member.isOtherFamily && mayTake(other)
                && !tried.contains(other)
        }
        guard !rivals.isEmpty else { return nil }
        // The turn is that of the connections, not of what they do besides.
        let turn = turn
        defer { self.turn = turn }
        guard case .dial(let rival) = choose(from: rivals, now: now, random: random) else { return nil }
        return rival
    }

    /// The connection was established.
    public mutating func connected(_ id: EndpointID, after nanoseconds: UInt64, now: UInt64) {
        endpoints[Int(id)].connected(after: nanoseconds, now: now)
        guard let name = endpoints[Int(id)].member.name else { return }
        let isTurned = endpoints[Int(id)].member.isOtherFamily
        guard isTurned != turnedNames.contains(name) else { return }
        if isTurned { turnedNames.insert(name) } else { turnedNames.remove(name) }
        rebuild(now: now)
    }

    /// The endpoint serves: it was connected and, where it must, completed a handshake.
    public mutating func succeeded(_ id: EndpointID, now: UInt64) -> News? {
        let index = Int(id)
        endpoints[index].failures = 0
        switch endpoints[index].health {
        case .serving: return nil
        case .warming(let since):
            if now >= since + policy.ejectionNanoseconds { endpoints[index].health = .serving }
            return nil
        case .ejected, .onTrial: return bringBack(id, now: now)
        }
    }

    /// The endpoint did not serve; the connection is no longer its own.
    public mutating func failed(_ id: EndpointID, now: UInt64) -> News? {
        endpoints[Int(id)].connections -= 1
        return fail(id, now: now)
    }

    /// A connection that the endpoint served has ended.
    public mutating func ended(_ id: EndpointID) { endpoints[Int(id)].connections -= 1 }

    /// A connection was given up before it was known whether the endpoint serves.
    public mutating func abandoned(_ id: EndpointID, now: UInt64) {
        let index = Int(id)
        endpoints[index].connections -= 1
        guard endpoints[index].health == .onTrial(isUnderway: true) else { return }
        endpoints[index].health = .onTrial(isUnderway: false)
        rebuild(now: now)
    }

    /// The result of a check of the endpoint.
    public mutating func checked(_ id: EndpointID, passed: Bool, now: UInt64) -> News? {
        guard passed else { return fail(id, now: now) }
        switch endpoints[Int(id)].health {
        case .ejected(let until): return now >= until ? bringBack(id, now: now) : nil
        case .onTrial: return bringBack(id, now: now)
        case .serving, .warming: return nil
        }
    }

    public func connections(of id: EndpointID) -> Int { endpoints[Int(id)].connections }
    public func isEjected(_ id: EndpointID) -> Bool { endpoints[Int(id)].health.isEjected }
    /// Whether it may be given another connection.
    public func isOpen(_ id: EndpointID) -> Bool {
        policy.connectionsAtMost == 0 || endpoints[Int(id)].connections < policy.connectionsAtMost
    }

    // MARK: Private

    private mutating func choose(from candidates: [EndpointID], now: UInt64, random: UInt64) -> Choice {
        guard let id = pick(from: candidates, now: now, random: random) else { return .wait }
        let index = Int(id)
        endpoints[index].connections += 1
        if endpoints[index].health == .onTrial(isUnderway: false) {
            endpoints[index].health = .onTrial(isUnderway: true)
            rebuild(now: now)
        }
        return .dial(id)
    }

    private mutating func fail(_ id: EndpointID, now: UInt64) -> News? {
        let index = Int(id)
        // It fails for those that began before it was ejected, too.
        guard !endpoints[index].health.isEjected else { return nil }
        endpoints[index].failed(now: now)
        let isTrial = if case .onTrial = endpoints[index].health { true } else { false }
        guard policy.failuresToEject > 0, isTrial || endpoints[index].failures >= policy.failuresToEject,
            endpoints[index].isListed, mayEject(id)
        else {
            guard isTrial else { return nil }
            endpoints[index].health = .serving
            rebuild(now: now)
            return .returned(id)
        }
        let wasSoundFor = now - min(endpoints[index].returnedAt, now)
        if !isTrial, wasSoundFor > endpoints[index].lastEjectionNanoseconds { endpoints[index].ejections = 0 }
        let time = policy.ejection(after: endpoints[index].ejections)
        endpoints[index].ejections += 1
        endpoints[index].lastEjectionNanoseconds = time
        endpoints[index].health = .ejected(until: now + time)
        rebuild(now: now)
        return .ejected(id, failures: endpoints[index].failures, nanoseconds: time)
    }

    private mutating func bringBack(_ id: EndpointID, now: UInt64) -> News {
        let index = Int(id)
        endpoints[index].failures = 0
        endpoints[index].returnedAt = now
        endpoints[index].health = .warming(since: now)
        rebuild(now: now)
        return .returned(id)
    }

    /// Whether half of the listed ones, or more, would be left.
    private func mayEject(_ id: EndpointID) -> Bool {
        let out = listed.count { $0 != id && isOut($0) }
        return (out + 1) * 2 <= listed.count
    }

    private func isOut(_ id: EndpointID) -> Bool {
        switch endpoints[Int(id)].health {
        case .ejected, .onTrial: true
        case .serving, .warming: false
        }
    }

    private func isActive(_ id: EndpointID) -> Bool { endpoints[Int(id)].isActive }

    private mutating func pick(from candidates: [EndpointID], now: UInt64, random: UInt64) -> EndpointID? {
        switch policy.order {
        case .first:
            let isSound = { [endpoints] (id: EndpointID) in !endpoints[Int(id)].isSuspect(now: now) }
            let open = candidates.filter(isOpen)
            return open.first(where: isSound) ?? open.first
        case .roundRobin: return pickInTurn(from: candidates, now: now, random: random)
        case .leastConnections: break
        }
        let (first, second) = twoOf(candidates.count, random)
        let (one, other) = (candidates[first], candidates[second])
        switch (isOpen(one), isOpen(other)) {
        case (true, true): return better(one, other, now: now)
        case (true, false): return one
        case (false, true): return other
        case (false, false): break
        }
        return candidates.filter(isOpen).reduce(nil as EndpointID?) { best, id in
            best.map { better($0, id, now: now) } ?? id
        }
    }

    private mutating func pickInTurn(from candidates: [EndpointID], now: UInt64, random: UInt64) -> EndpointID? {
        var fallback: EndpointID?
        for step in 0..<UInt64(candidates.count) {
            let id = candidates[turn % candidates.count]
            turn = (turn + 1) % candidates.count
            guard isOpen(id) else { continue }
            fallback = fallback ?? id
            if endpoints[Int(id)].isSuspect(now: now), endpoints[Int(id)].health == .serving { continue }
            let chance = Double(mixed(random &+ step) >> 11) / Double(UInt64(1) << 53)
            if chance < endpoints[Int(id)].warmth(now: now, policy.ejectionNanoseconds) { return id }
        }
        return fallback
    }

    /// One on trial goes first: it is given a single connection, and nothing else tells whether it serves again.
    private func better(_ one: EndpointID, _ other: EndpointID, now: UInt64) -> EndpointID {
        let (first, second) = (endpoints[Int(one)], endpoints[Int(other)])
        if first.health == .onTrial(isUnderway: false) { return one }
        if second.health == .onTrial(isUnderway: false) { return other }
        let (isFirstSuspect, isSecondSuspect) = (first.isSuspect(now: now), second.isSuspect(now: now))
        if isFirstSuspect != isSecondSuspect { return isFirstSuspect ? other : one }
        let warmUp = policy.ejectionNanoseconds
        return second.score(now: now, warmUpNanoseconds: warmUp) < first.score(now: now, warmUpNanoseconds: warmUp)
            ? other : one
    }

    /// Two different places below `count`, or the same one if there is no other.
    private func twoOf(_ count: Int, _ random: UInt64) -> (Int, Int) {
        guard count > 1 else { return (0, 0) }
        let first = Int(mixed(random).multipliedFullWidth(by: UInt64(count)).high)
        let second = Int(mixed(random ^ 0xD1B5_4A32_D192_ED03).multipliedFullWidth(by: UInt64(count - 1)).high)
        return (first, second >= first ? second + 1 : second)
    }

    /// Ends the ejections that are over, and finds whom the next connections may be given to.
    private mutating func rebuild(now: UInt64) {
        nextReturnAt = .max
        for id in listed {
            guard case .ejected(let until) = endpoints[Int(id)].health, !policy.hasChecks else { continue }
            if until <= now {
                endpoints[Int(id)].health = .onTrial(isUnderway: false)
            } else {
                nextReturnAt = min(nextReturnAt, until)
            }
        }
        let tier = listed.filter { !isOut($0) }.map { endpoints[Int($0)].member.tier }.min()
        let inTier = listed.filter { mayTake($0) && endpoints[Int($0)].member.tier <= tier ?? .max }
        // A name with both families: those of the one that answers, unless none of them is in service.
        var hasPreferred: Set<Int> = []
        for id in inTier where isPreferred(id) {
            if let name = endpoints[Int(id)].member.name { hasPreferred.insert(name) }
        }
        for id in active { endpoints[Int(id)].isActive = false }
        active = inTier.filter { id in
            guard let name = endpoints[Int(id)].member.name else { return true }
            return isPreferred(id) || !hasPreferred.contains(name)
        }
        for id in active { endpoints[Int(id)].isActive = true }
    }

    /// Whether it may be given a connection now, limits aside.
    private func mayTake(_ id: EndpointID) -> Bool {
        switch endpoints[Int(id)].health {
        case .serving, .warming, .onTrial(isUnderway: false): true
        case .ejected, .onTrial(isUnderway: true): false
        }
    }

    private func isPreferred(_ id: EndpointID) -> Bool {
        let member = endpoints[Int(id)].member
        return member.name.map { member.isOtherFamily == turnedNames.contains($0) } ?? true
    }
}

/// SplitMix64's output function.
private func mixed(_ seed: UInt64) -> UInt64 {
    var value = seed &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
}
