import DataPlane
import Logging
import Resolution
import Settings
import System

/// Keeps the addresses of the names among endpoints and destinations. Belongs to the control thread, on whose loop it
/// asks DNS.
final class NameResolver {
    private struct Member {
        let question: NameQuestion
        /// The longest time between two lookups.
        var everyMilliseconds: Int
        var state: NameState
        var lookup: NameLookup?
    }

    /// Of the sockets that are opened from now on; 0: none.
    var mark: UInt32 = 0
    private var members: [Member] = []
    private var hasChanged = false
    private let loop: ControlLoop
    private let logger: Logger

    init(on loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
    }

    /// The addresses in use.
    var names: ResolvedNames {
        ResolvedNames(
            Dictionary(members.map { ($0.question, $0.state.addresses) }, uniquingKeysWith: { one, _ in one }))
    }

    /// Why a name has no address, or keeps an old one.
    func failure(of question: NameQuestion) -> String? {
        members.first { $0.question == question }?.state.failure
    }

    /// Goes over to the names of these settings; those that stay keep what is known of them.
    func serve(_ settings: Settings...) {
        let now = MonotonicClock.milliseconds()
        var known: [NameQuestion: Member] = [:]
        for member in members { known[member.question] = member }
        var next: [Member] = []
        var places: [NameQuestion: Int] = [:]
        for route in settings.flatMap(\.listeners).flatMap(\.routes) {
            let wanted =
                route.upstream.questions.map { ($0, route.upstream.resolve.everyMilliseconds) }
                + route.match.questions.map { ($0, ResolveSettings().everyMilliseconds) }
            for (question, every) in wanted {
                if let place = places[question] {
                    next[place].everyMilliseconds = min(next[place].everyMilliseconds, every)
                    continue
                }
                places[question] = next.count
                var member =
                    known[question]
                    ?? Member(
                        question: question, everyMilliseconds: every,
                        state: NameState(now: now, keepsMilliseconds: question.keepsMilliseconds))
                member.everyMilliseconds = every
                next.append(member)
            }
        }
        members = next
    }

    /// Waits until every name was looked up once; names that take longer are used when they are known.
    func settle(withinMilliseconds patience: Int) {
        let deadline = MonotonicClock.milliseconds() + Int64(patience)
        while true {
            let wait = tick()
            let left = Int(deadline - MonotonicClock.milliseconds())
            guard left > 0, members.contains(where: { !$0.state.isSettled }) else { return }
            loop.base.run(milliseconds: min(wait ?? left, left)) { members.contains { $0.lookup?.outcome != nil } }
        }
    }

    /// Begins and ends lookups; returns the milliseconds until the next one.
    func tick() -> Int? {
        var now = MonotonicClock.milliseconds()
        var wait: Int?
        var underway = members.count { $0.lookup != nil }
        for index in members.indices {
            if members[index].lookup == nil, members[index].state.dueAt <= now {
                guard underway < Self.lookupsAtOnce else { continue }
                underway += 1
                begin(index, now)
            }
            var left = Int(max(1, members[index].state.dueAt - now))
            if let lookup = members[index].lookup {
                left = lookup.tick(now: now)
                if let outcome = lookup.outcome {
                    members[index].lookup = nil
                    underway -= 1
                    now = MonotonicClock.milliseconds()
                    take(outcome, index, now)
                    left = Int(max(1, members[index].state.dueAt - now))
                }
            }
            wait = min(wait ?? left, left)
        }
        return wait
    }

    /// Whether addresses changed since the last call.
    func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    // MARK: Private

    private func begin(_ index: Int, _ now: Int64) {
        let loop = loop
        do throws(DNSFault) {
            members[index].lookup = try NameLookup(members[index].question, on: loop.base, mark: mark, now: now) {
                loop.post(.namesLookedUp)
            }
        } catch {
            take(.failure(error), index, now)
        }
    }

    private func take(_ outcome: Result<NameAnswer, DNSFault>, _ index: Int, _ now: Int64) {
        let question = members[index].question
        let every = Int64(members[index].everyMilliseconds)
        let chance = Double.random(in: 0...1)
        let before = members[index].state.addresses
        defer { if members[index].state.addresses != before { hasChanged = true } }
        switch outcome {
        case .success(let answer):
            let change = members[index].state.answered(
                answer, onlyFirst: question.addresses == .first, every: every, now: now, chance: chance)
            switch change {
            case .nothing: break
            case .failing: complain(index)
            case .recovered: logger.notice("the name is found again", metadata: ["name": "\(question.name)"])
            case .addresses: logger.notice("addresses changed", metadata: describe(index))
            }
        case .failure(let fault):
            if members[index].state.failed(fault.description, every: every, now: now, chance: chance) {
                complain(index)
            }
        }
    }

    private func complain(_ index: Int) {
        let state = members[index].state
        let effect =
            if !state.addresses.isEmpty {
                "its last good addresses stay in use"
            } else if members[index].question.kind == .destination {
                "it has no address: what no route matches is refused until it has one"
            } else {
                "it has no address, and is not dialled"
            }
        logger.warning("the name is not found: \(state.failure ?? ""); \(effect)", metadata: describe(index))
    }

    private func describe(_ index: Int) -> Logger.Metadata {
        let addresses = members[index].state.addresses
        var texts = addresses.prefix(Self.addressesLogged).map { found in
            found.port.map { "\(Endpoint(address: found.address, port: $0))" } ?? "\(found.address)"
        }
        if addresses.count > texts.count { texts.append("and \(addresses.count - texts.count) more") }
        return [
            "name": "\(members[index].question.name)", "addresses": "\(texts.joined(separator: ", "))",
        ]
    }

    /// Each has a socket or two.
    private static let lookupsAtOnce = 32
    private static let addressesLogged = 16
}

extension NameQuestion {
    /// For so long an address is kept that answers leave out. A program on this host may have it from an earlier
    /// answer: what it sends there must not pass for traffic that no route is meant for.
    fileprivate var keepsMilliseconds: Int64 { kind == .destination ? 300_000 : 0 }
}
