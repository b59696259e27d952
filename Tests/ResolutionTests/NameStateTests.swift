import Policy
import Resolution
import Testing

@Suite("What is known of a name")
struct NameStateTests {
    private let every: Int64 = 30_000

    @Test(
        "an answer holds for its TTL, for a second at least and for `every` at most",
        arguments: [
            (0, 1_000), (1, 1_000), (7, 7_000), (30, 30_000), (86_400, 30_000), (Int.max, 30_000),
        ] as [(Int, Int64)])
    func bounds(ttl: Int, wait: Int64) {
        var state = NameState(now: 5)
        #expect(state.dueAt == 5 && !state.isSettled)
        #expect(answer(&state, ["10.0.0.1"], ttl: ttl, now: 5) == .addresses)
        #expect(state.dueAt == 5 + wait)
        #expect(state.isSettled)
    }

    @Test("lookups of many proxies drift apart, by a tenth of the time")
    func spread() {
        var state = NameState(now: 0)
        let found = NameAnswer(addresses: [ResolvedAddress(.v4(0x0A00_0001))], ttlSeconds: 20)
        _ = state.answered(found, onlyFirst: false, every: every, now: 0, chance: 1)
        #expect(state.dueAt == 18_000)
    }

    @Test("a failed or an empty answer keeps the last good one, is reported once, and is tried again with backoff")
    func keeps() {
        var state = NameState(now: 0)
        _ = answer(&state, ["10.0.0.1", "10.0.0.2"], now: 0)
        let good = state.addresses
        var waits: [Int64] = []
        var reports: [Bool] = []
        for _ in 0..<7 {
            reports.append(state.failed("NXDOMAIN", every: every, now: 100, chance: 0))
            waits.append(state.dueAt - 100)
        }
        #expect(reports == [true, false, false, false, false, false, false])
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        let isNews = state.failed("timeout", every: every, now: 100, chance: 0)
        #expect(isNews, "another reason is news")
        #expect(answer(&state, [], now: 200) == .failing)
        #expect(answer(&state, ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "0.1.2.3"], now: 200) == .nothing)
        #expect(state.addresses == good)
        #expect(state.failure != nil)
        #expect(answer(&state, ["10.0.0.2", "10.0.0.1"], now: 300) == .recovered)
        #expect(state.failure == nil)
        _ = state.failed("NXDOMAIN", every: every, now: 400, chance: 0)
        #expect(state.dueAt == 1_400, "the backoff begins anew")
        #expect(answer(&state, ["10.0.0.3"], now: 500) == .addresses)
    }

    @Test("an answer that turned its records round, or repeats some, is the same; the preferred family comes first")
    func order() {
        var state = NameState(now: 0)
        _ = answer(&state, ["2001:db8::2", "10.0.0.2", "10.0.0.1", "2001:db8::1"], now: 0)
        #expect(state.texts == ["2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.2"])
        #expect(answer(&state, ["2001:db8::1", "10.0.0.1", "2001:db8::2", "10.0.0.2", "10.0.0.2"], now: 1) == .nothing)
        #expect(answer(&state, ["10.0.0.1", "10.0.0.2", "2001:db8::2", "2001:db8::1"], now: 2) == .addresses)
        #expect(state.texts == ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"])
    }

    @Test("of `first`, the address stays for as long as it is in the answers")
    func first() {
        var state = NameState(now: 0)
        #expect(answer(&state, ["10.0.0.2", "10.0.0.1"], onlyFirst: true, now: 0) == .addresses)
        #expect(state.texts == ["10.0.0.2"])
        #expect(answer(&state, ["10.0.0.1", "10.0.0.2"], onlyFirst: true, now: 1) == .nothing)
        #expect(answer(&state, ["10.0.0.1", "10.0.0.3"], onlyFirst: true, now: 2) == .addresses)
        #expect(state.texts == ["10.0.0.1"])
    }

    @Test("no answer makes the list longer than its limit, and the same part of a long one is used each time")
    func limit() {
        var state = NameState(now: 0)
        let many = (0..<2_000).map { ResolvedAddress(.v4(0x0A00_0000 + $0)) }
        _ = state.answered(
            NameAnswer(addresses: many.reversed(), ttlSeconds: 5), onlyFirst: false, every: every, now: 0, chance: 0)
        #expect(state.addresses == Array(many.prefix(NameAnswer.addressesAtMost)))
        let change = state.answered(
            NameAnswer(addresses: many.shuffled(), ttlSeconds: 5), onlyFirst: false, every: every, now: 0, chance: 0)
        #expect(change == .nothing)
    }

    @Test("where none may be missed, an address that answers leave out is kept for a while")
    func kept() {
        var state = NameState(now: 0, keepsMilliseconds: 5_000)
        #expect(answer(&state, ["10.0.0.1", "10.0.0.2"], now: 0) == .addresses)
        #expect(answer(&state, ["10.0.0.2", "10.0.0.3"], now: 1_000) == .addresses)
        #expect(state.texts == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(answer(&state, ["10.0.0.1", "10.0.0.2"], now: 2_000) == .nothing)
        // While lookups fail no address is left out.
        #expect(answer(&state, [], now: 3_000) == .failing)
        _ = state.failed("timeout", every: every, now: 600_000, chance: 0)
        #expect(answer(&state, ["10.0.0.2"], now: 900_000) == .addresses)
        #expect(state.texts == ["10.0.0.1", "10.0.0.2"], "the third was left out long ago, the first one just now")
        #expect(answer(&state, ["10.0.0.2"], now: 904_999) == .nothing)
        #expect(answer(&state, ["10.0.0.2"], now: 905_000) == .addresses)
        #expect(state.texts == ["10.0.0.2"])
    }

    @Test("where none may be missed, there is no address rather than a part of too many")
    func tooMany() {
        var state = NameState(now: 0, keepsMilliseconds: 5_000)
        func answer(_ range: Range<UInt32>, now: Int64) -> NameState.Change {
            let found = NameAnswer(addresses: range.map { ResolvedAddress(.v4(0x0A00_0000 + $0)) }, ttlSeconds: 5)
            return state.answered(found, onlyFirst: false, every: every, now: now, chance: 0)
        }
        #expect(answer(0..<1_000, now: 0) == .addresses)
        #expect(state.addresses.count == 1_000, "more than upstreams use of a name")
        #expect(answer(1_000..<2_000, now: 1_000) == .failing)
        #expect(state.addresses.isEmpty && state.failure != nil)
        #expect(answer(0..<10, now: 2_000) == .nothing, "this may be a part of them")
        #expect(answer(10..<20, now: 5_999) == .nothing)
        #expect(state.addresses.isEmpty)
        #expect(answer(10..<20, now: 6_000) == .addresses)
        #expect(state.addresses.count == 20 && state.failure == nil, "and those that were left out just now")
    }

    @Test("records of a lower priority come first, with their own ports")
    func priorities() {
        var state = NameState(now: 0)
        let backup = ResolvedAddress(.v4(0x0A00_0001), port: 1, priority: 20)
        let main = ResolvedAddress(.v4(0x0A00_0009), port: 2, priority: 10)
        let other = ResolvedAddress(.v4(0x0A00_0009), port: 1, priority: 10)
        let answer = NameAnswer(addresses: [backup, main, other], ttlSeconds: 5)
        _ = state.answered(answer, onlyFirst: false, every: every, now: 0, chance: 0)
        #expect(state.addresses == [other, main, backup])
    }

    private func answer(
        _ state: inout NameState, _ addresses: [String], ttl: Int = 10, onlyFirst: Bool = false, now: Int64
    ) -> NameState.Change {
        let found = addresses.compactMap { IPAddress(parsing: $0) }.map { ResolvedAddress($0) }
        #expect(found.count == addresses.count)
        return state.answered(
            NameAnswer(addresses: found, ttlSeconds: ttl), onlyFirst: onlyFirst, every: every, now: now, chance: 0)
    }
}

extension NameState {
    fileprivate var texts: [String] { addresses.map { "\($0.address)" } }
}
