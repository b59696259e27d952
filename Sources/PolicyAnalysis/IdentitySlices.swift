import Identity
import Policy

/// Slices of the SPIFFE IDs of peers, and of peers without any.
///
/// A walk over segments: what IDs with a common beginning have before them is the set of patterns that still match and
/// the rules that match already, and two beginnings with the same of both are one.
enum IdentitySlices {
    struct Example: Sendable {
        /// Nil: a client of plaintext.
        var identity: SPIFFEID?
    }

    static func slices(
        _ rules: [(index: Int, rule: Rule)], ruleCount: Int, _ work: inout WorkAllowance
    ) throws(WorkLimitReached) -> [Slice<Example>] {
        var table = SliceTable<Example>()
        var nobody = RuleSet(count: ruleCount)
        var everyone = RuleSet(count: ruleCount)
        var patterns: [Pattern] = []
        for (index, rule) in rules {
            if rule.identities.isEmpty {
                nobody.insert(index)
                if !rule.isUnauthenticated { everyone.insert(index) }
            }
            patterns += rule.identities.map { Pattern(rule: index, $0) }
        }
        var walk = Walk(patterns: patterns)
        try walk.run(everyone, &work) { rules, segments in
            // To write an ID costs more than to find that there is one already.
            guard !table.has(rules) else { return }
            // One that is too long has no shorter one with the same rules: there is none.
            guard let identity = segments.identity else { return }
            table.add(rules, Example(identity: identity), segments.text)
        }
        table.add(nobody, Example(identity: nil), "a client without certificate")
        return table.slices
    }

    /// A pattern cut at its slashes: the trust domain, then the path.
    fileprivate struct Pattern {
        var rule: Int
        var segments: [Substring]

        init(rule: Int, _ pattern: IdentityPattern) {
            self.rule = rule
            segments = pattern.description.dropFirst("spiffe://".count).split(separator: "/")
        }
    }

    /// The segments of an ID.
    fileprivate struct Segments {
        /// With one that no pattern names as nil.
        var parts: [(text: String, isOther: Bool)] = []
        /// Whether more may follow.
        var isOpen = false

        /// Of the trust domain and the path.
        var byteCount: Int { parts.reduce(0) { $0 + $1.text.utf8.count + 1 } }

        var identity: SPIFFEID? {
            let text = "spiffe://" + parts.map(\.text).joined(separator: "/")
            return try? SPIFFEID(parsing: text)
        }

        var text: String {
            "spiffe://" + parts.map { $0.isOther ? "(other)" : $0.text }.joined(separator: "/") + (isOpen ? "/..." : "")
        }
    }

    fileprivate struct Walk {
        let patterns: [Pattern]
        private var seen: Set<State> = []
        /// By the bytes of the beginning.
        private var waiting: [[(State, Segments)]] = Array(repeating: [], count: SPIFFEID.maximumBytes)

        init(patterns: [Pattern]) { self.patterns = patterns }

        private struct State: Hashable {
            var depth: Int
            var alive: [Int]
            var matched: RuleSet
        }

        typealias Found = (RuleSet, Segments) -> Void

        /// Takes beginnings of IDs in the order of their lengths: what is found of a state is found with the shortest
        /// one that leads there, so that nothing that fits into an ID is missed.
        mutating func run(
            _ matched: RuleSet, _ work: inout WorkAllowance, found: Found
        ) throws(WorkLimitReached) {
            waiting[0] = [(State(depth: 0, alive: Array(patterns.indices), matched: matched), Segments())]
            for length in waiting.indices {
                while let (state, segments) = waiting[length].popLast() {
                    try step(state, segments, &work, found)
                }
            }
        }

        /// Tries each segment that can follow.
        private mutating func step(
            _ state: State, _ segments: Segments, _ work: inout WorkAllowance, _ found: Found
        ) throws(WorkLimitReached) {
            try work.take(1 + state.alive.count)
            guard seen.insert(state).inserted else { return }
            guard seen.count <= Self.statesAtMost else { throw WorkLimitReached() }
            var stars: [Int] = []
            var named: [Substring: [Int]] = [:]
            for index in state.alive {
                let own = patterns[index].segments[state.depth]
                if own == "*" || own == "**" { stars.append(index) } else { named[own, default: []].append(index) }
            }
            try take(Self.unused(in: named), stars, isOther: true, state, segments, &work, found)
            for literal in named.keys.sorted(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) {
                let candidates = (stars + (named[literal] ?? [])).sorted()
                try take(String(literal), candidates, isOther: false, state, segments, &work, found)
            }
        }

        /// - Parameter candidates: the patterns that the segment fits, ascending.
        private mutating func take(
            _ segment: String, _ candidates: [Int], isOther: Bool, _ state: State, _ segments: Segments,
            _ work: inout WorkAllowance, _ found: Found
        ) throws(WorkLimitReached) {
            try work.take(Self.stepCost + candidates.count)
            var segments = segments
            segments.parts.append((segment, isOther))
            var (matched, ending) = (state.matched, state.matched)
            var alive: [Int] = []
            for index in candidates {
                let pattern = patterns[index]
                if pattern.segments[state.depth] == "**" {
                    matched.insert(pattern.rule)
                } else if pattern.segments.count == state.depth + 1 {
                    ending.insert(pattern.rule)
                } else {
                    alive.append(index)
                }
            }
            ending.formUnion(matched)
            // What matches already makes other patterns of the rule idle.
            alive.removeAll { matched.contains(patterns[$0].rule) }
            let depth = state.depth + 1
            // A peer's ID has a path.
            if depth > 1 { found(ending, segments) }
            if alive.isEmpty {
                // All that follows is alike; where no more fits, nothing follows.
                var longer = segments
                longer.parts.append((Self.letters[0], true))
                longer.isOpen = true
                found(matched, longer)
            } else if segments.byteCount < waiting.count {
                waiting[segments.byteCount].append((State(depth: depth, alive: alive, matched: matched), segments))
            }
        }

        /// A set of rules and a beginning of an ID are copied.
        private static let stepCost = 16
        /// Some tens of megabytes.
        private static let statesAtMost = 50_000

        /// The shortest segment that no pattern names.
        private static func unused(in named: [Substring: [Int]]) -> String {
            if let letter = letters.first(where: { named[Substring($0)] == nil }) { return letter }
            var number = 10
            while named[Substring("\(number)")] != nil { number += 1 }
            return "\(number)"
        }

        private static let letters = "xabcdefghijklmnopqrstuvwyz0123456789".map { String($0) }
    }
}
