import Balancing
import Testing

@Suite("A group of endpoints")
struct EndpointGroupTests {
    @Test("of two endpoints the one with fewer connections is taken")
    func fewer() {
        var group = Group(2)
        for _ in 0..<100 { group.dials() }
        #expect(group.connections == [50, 50])
        for _ in 0..<30 { group.ends(0) }
        for _ in 0..<30 { #expect(group.dials() == 0) }
    }

    @Test("one that takes long to connect gets fewer, and is not written off for one slow connect")
    func slow() {
        var group = Group(2)
        for _ in 0..<200 {
            let id = group.dials()
            group.group.connected(id, after: id == 0 ? 200_000 : 80_000_000, now: group.now)
        }
        #expect(group.connections[0] > 3 * group.connections[1])
        #expect(group.connections[1] > 5)
        var once = Group(2)
        once.group.connected(0, after: 1_000_000_000, now: once.now)
        #expect(once.dials() == 1)
        once.ends(1)
        once.now += 60 * second
        #expect(Set((0..<20).map { _ in once.dials() }) == [0, 1])
    }

    @Test("round robin takes each in turn, and `first` the first that is open")
    func orders() {
        var turns = Group(3, BalancingPolicy(order: .roundRobin))
        #expect((0..<6).map { _ in turns.dials() } == [0, 1, 2, 0, 1, 2])
        var first = Group(3, BalancingPolicy(order: .first, connectionsAtMost: 2))
        #expect((0..<6).map { _ in first.dials() } == [0, 0, 1, 1, 2, 2])
        #expect(first.choose() == .wait)
        first.ends(1)
        #expect(first.dials() == 1)
    }

    @Test("a connection tries each endpoint once, and those out of service last")
    func tries() {
        var group = Group(4)
        group.eject(0)
        var tried: [EndpointID] = []
        while case .dial(let id) = group.choose(tried) {
            #expect(!tried.contains(id))
            tried.append(id)
        }
        #expect(tried.count == 4 && tried.last == 0)
        #expect(group.choose(tried) == .none)
        var empty = Group(0)
        #expect(empty.choose() == .none)
    }

    @Test("failures in a row eject; a success between them does not let it come to that")
    func ejection() {
        var group = Group(2)
        for _ in 0..<2 { #expect(group.fails(0) == nil) }
        #expect(group.group.succeeded(0, now: group.now) == nil)
        for _ in 0..<2 { #expect(group.fails(0) == nil) }
        #expect(group.fails(0) == .ejected(0, failures: 3, nanoseconds: 10 * second))
        for _ in 0..<50 { #expect(group.dials() == 1) }
        // Dials that began before fail as well: that is no news, and makes it no longer.
        #expect(group.fails(0) == nil)
    }

    @Test("after its time one connection tries it: if that fails it is out for twice as long, up to a limit")
    func backoff() {
        var group = Group(2)
        group.eject(0)
        var times: [UInt64] = []
        for round in 0..<8 {
            let time = 10 * second << UInt64(round)
            group.now += min(time, 300 * second)
            #expect(group.dials() == 0, "the trial")
            for _ in 0..<20 { #expect(group.dials() == 1, "one at a time") }
            guard case .ejected(0, _, let next) = group.group.failed(0, now: group.now) else {
                Issue.record("it was not ejected again")
                return
            }
            times.append(next / second)
            for _ in 0..<20 { group.ends(1) }
        }
        #expect(times == [20, 40, 80, 160, 300, 300, 300, 300])
    }

    @Test("a trial that is given up leaves the next one possible")
    func abandonedTrial() {
        var group = Group(2)
        group.eject(0)
        group.now += 10 * second
        #expect(group.dials() == 0)
        #expect(group.dials() == 1)
        group.group.abandoned(0, now: group.now)
        #expect(group.dials() == 0)
    }

    @Test("one that returns gets a share that grows, and then as much as the others")
    func slowStart() {
        var group = Group(2)
        for _ in 0..<100 { group.dials() }
        for _ in 0..<50 { group.ends(0) }
        group.eject(0)
        group.now += 10 * second
        #expect(group.dials() == 0)
        #expect(group.group.succeeded(0, now: group.now) == .returned(0))
        var shares: [Int] = []
        for _ in 0..<5 {
            group.now += 2 * second
            // Short connections, one after the other, beside the fifty that stay.
            var share = 0
            for _ in 0..<200 {
                let id = group.dials()
                if id == 0 { share += 1 } else { group.ends(id) }
            }
            for _ in 0..<share { group.ends(0) }
            shares.append(share)
        }
        #expect(shares[0] < 20 && shares[4] > 2 * shares[0], "\(shares)")
        #expect(shares == shares.sorted())
    }

    @Test("never more than half are out, and with most of them failing the ones that do not are preferred")
    func panic() {
        for count in 1..<12 {
            var group = Group(count)
            for id in 0..<EndpointID(count) { group.eject(id) }
            let out = group.group.ids.count { group.group.isEjected($0) }
            #expect(out == count / 2)
        }
        var group = Group(4)
        for id in 0..<3 as Range<EndpointID> { group.eject(id) }
        let taken = (0..<20).map { _ in group.dials() }
        #expect(Set(taken) == [3], "2 may still be tried, but 3 has not failed")
    }

    @Test("a list that changes keeps what is known of those that stay, and of those that come back")
    func lists() {
        var group = Group(4)
        for _ in 0..<40 { group.dials() }
        group.eject(2)
        let before = group.group.connections(of: 3)
        let ids = group.group.list(
            [Member(id: 3), Member(), Member(id: 2)], BalancingPolicy(), now: group.now)
        #expect(ids[0] == 3 && ids[2] == 2)
        #expect(![0, 1, 2, 3].contains(ids[1]), "the places of others with connections stay theirs")
        #expect(group.group.isEjected(2))
        #expect(group.group.connections(of: 3) == before)
        let taken = (0..<9).map { _ in group.dials() }
        #expect(Set(taken) == [ids[1]])
        while group.group.connections(of: 0) > 0 { group.ends(0) }
        #expect(group.group.isOver(0, now: group.now) && !group.group.isOver(1, now: group.now))
        let more = group.group.list([Member(id: 3), Member(), Member(id: 2)], BalancingPolicy(), now: group.now)
        #expect(more[1] == 0, "its place is free")
    }

    @Test("endpoints of a higher tier wait until none of the lower ones is in service")
    func tiers() {
        var group = Group([Member(tier: 1), Member(tier: 1), Member(tier: 5), Member(tier: 5)])
        #expect(Set((0..<40).map { _ in group.dials() }) == [0, 1])
        group.eject(0)
        #expect(Set((0..<40).map { _ in group.dials() }) == [1])
        group.eject(1)
        #expect(Set((0..<40).map { _ in group.dials() }) == [2, 3])
        group.now += 10 * second
        let next = (0..<40).map { _ in group.dials() }
        #expect(next.contains(0) || next.contains(1), "trials of the first tier")
    }

    @Test("weights share connections")
    func weights() {
        var group = Group([Member(weight: 3), Member(weight: 1)])
        for _ in 0..<400 { group.dials() }
        #expect((298...302).contains(group.connections[0]))
    }

    @Test("of a name with both families the one that answered last is dialled, and the other when it fails")
    func families() {
        var group = Group([
            Member(name: 0), Member(name: 0), Member(name: 0, isOtherFamily: true),
            Member(name: 0, isOtherFamily: true), Member(),
        ])
        #expect(Set((0..<60).map { _ in group.dials() }) == [0, 1, 4])
        guard case .dial(let other) = group.choose([0, 1, 4]) else {
            Issue.record("the other family was not tried")
            return
        }
        #expect([2, 3].contains(other))
        group.group.connected(other, after: 1, now: group.now)
        #expect(Set((0..<60).map { _ in group.dials() }) == [2, 3, 4])
    }

    @Test("the rival of an endpoint is one of its name and the other family, and counts like any other")
    func rivals() {
        var group = Group([
            Member(name: 0), Member(name: 0), Member(name: 0, isOtherFamily: true),
            Member(name: 0, isOtherFamily: true), Member(name: 1, isOtherFamily: true), Member(),
        ])
        #expect((0..<6).map { group.group.hasOtherFamily($0) } == [true, true, true, true, true, false])
        #expect(Set((0..<20).map { _ in group.rival(of: 0) }) == [2, 3])
        #expect(group.connections == [0, 0, 10, 10, 0, 0])
        #expect(Set((0..<20).map { _ in group.rival(of: 3) }) == [0, 1])
        #expect(group.rival(of: 0, tried: [2]) == 3)
        #expect(group.rival(of: 0, tried: [2, 3]) == nil)
        #expect(group.rival(of: 4) == nil && group.rival(of: 5) == nil)
    }

    @Test("none that is out of service, or full, or whose name is listed no more, is raced with")
    func noRivals() {
        var group = Group(
            [Member(name: 0), Member(name: 0, isOtherFamily: true)], BalancingPolicy(connectionsAtMost: 2))
        #expect((0..<2).map { _ in group.rival(of: 0) } == [1, 1])
        #expect(group.rival(of: 0) == nil, "it is full")
        for _ in 0..<2 { group.ends(1) }
        group.eject(1)
        #expect(group.rival(of: 0) == nil, "it is out of service")
        group.now += 10 * second
        #expect(group.rival(of: 0) == 1, "the trial")
        #expect(group.rival(of: 0) == nil, "one at a time")
        group.group.abandoned(1, now: group.now)
        #expect(group.rival(of: 0) == 1, "one that was slower leaves the next trial possible")
        _ = group.group.list([Member(id: 1, name: 0)], group.group.policy, now: group.now)
        #expect(group.rival(of: 0) == nil)
    }

    @Test("with round robin, races do not shift the turn of the connections")
    func rivalsAndTurns() {
        var group = Group(
            [Member(), Member(), Member(name: 0), Member(name: 0, isOtherFamily: true)],
            BalancingPolicy(order: .roundRobin))
        var taken: [EndpointID] = []
        for _ in 0..<6 {
            taken.append(group.dials())
            if taken.last == 2 { #expect(group.rival(of: 2) == 3) }
        }
        #expect(taken == [0, 1, 2, 0, 1, 2])
    }

    @Test("without ejection none is, and one that only just failed is taken last")
    func withoutEjection() {
        var group = Group(2, BalancingPolicy(failuresToEject: 0))
        for _ in 0..<100 { #expect(group.fails(0) == nil) }
        #expect(group.dials() == 1)
        group.now += 20 * second
        #expect(group.dials() == 0)
    }

    @Test("with checks, only one that passes after the ejection's time brings an endpoint back")
    func checks() {
        var group = Group(2, BalancingPolicy(hasChecks: true))
        for _ in 0..<2 { #expect(group.group.checked(0, passed: false, now: group.now) == nil) }
        #expect(group.group.checked(0, passed: false, now: group.now) != nil)
        #expect(group.group.checked(0, passed: true, now: group.now) == nil)
        group.now += 60 * second
        for _ in 0..<20 { #expect(group.dials() == 1) }
        #expect(group.group.checked(0, passed: true, now: group.now) == .returned(0))
        #expect(group.group.checked(0, passed: true, now: group.now) == nil)
    }
}

let second: UInt64 = 1_000_000_000

/// A group with a clock and seeded randomness.
struct Group {
    var group: EndpointGroup
    var now: UInt64 = 1_000 * second
    private var seed: UInt64 = 1

    init(_ count: Int, _ policy: BalancingPolicy = BalancingPolicy()) {
        self.init((0..<count).map { _ in Member() }, policy)
    }

    init(_ members: [Member], _ policy: BalancingPolicy = BalancingPolicy()) {
        group = EndpointGroup(policy)
        _ = group.list(members, policy, now: now)
    }

    var connections: [Int] { group.ids.map { group.connections(of: $0) } }

    mutating func choose(_ tried: [EndpointID] = []) -> EndpointGroup.Choice {
        seed += 1
        return group.choose(tried: tried, now: now, random: seed)
    }

    /// -1 if there is none to dial.
    @discardableResult
    mutating func dials() -> EndpointID {
        guard case .dial(let id) = choose() else { return -1 }
        return id
    }

    mutating func rival(of id: EndpointID, tried: [EndpointID] = []) -> EndpointID? {
        seed += 1
        return group.chooseRival(of: id, tried: tried, now: now, random: seed)
    }

    mutating func ends(_ id: EndpointID) { group.ended(id) }

    /// Dials this endpoint, which fails.
    mutating func fails(_ id: EndpointID) -> EndpointGroup.News? {
        guard case .dial(id) = choose(group.ids.filter { $0 != id }) else { return nil }
        return group.failed(id, now: now)
    }

    /// Fails until it is ejected, if it may be.
    mutating func eject(_ id: EndpointID) {
        for _ in 0..<group.policy.failuresToEject { _ = fails(id) }
    }
}
