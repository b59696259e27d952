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
            // None is too long, unless a pattern is.
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

        init(patterns: [Pattern]) { self.patterns = patterns }

        private struct State: Hashable {
            var depth: Int
            var alive: [Int]
            var matched: RuleSet
        }

        mutating func run(
            _ matched: RuleSet, _ work: inout WorkAllowance, found: (RuleSet, Segments) -> Void
        ) throws(WorkLimitReached) {
            try step(
                State(depth: 0, alive: Array(patterns.indices), matched: matched), Segments(), &work, found)
        }

        /// Tries each segment that can follow.
        private mutating func step(
            _ state: State, _ segments: Segments, _ work: inout WorkAllowance, _ found: (RuleSet, Segments) -> Void
        ) throws(WorkLimitReached) {
            try work.take(1 + state.alive.count)
            guard seen.insert(state).inserted else { return }
            let literals = Set(state.alive.map { String(patterns[$0].segments[state.depth]) }).subtracting(["*", "**"])
            for literal in literals.sorted() {
                try take(literal, isOther: false, state, segments, &work, found)
            }
            try take(Self.unused(in: literals), isOther: true, state, segments, &work, found)
        }

        private mutating func take(
            _ segment: String, isOther: Bool, _ state: State, _ segments: Segments, _ work: inout WorkAllowance,
            _ found: (RuleSet, Segments) -> Void
        ) throws(WorkLimitReached) {
            try work.take(1 + state.alive.count)
            var segments = segments
            segments.parts.append((segment, isOther))
            var (matched, ending) = (state.matched, state.matched)
            var alive: [Int] = []
            for index in state.alive {
                let pattern = patterns[index]
                let own = pattern.segments[state.depth]
                if own == "**" {
                    matched.insert(pattern.rule)
                } else if own == "*" || own == segment {
                    if pattern.segments.count == state.depth + 1 {
                        ending.insert(pattern.rule)
                    } else {
                        alive.append(index)
                    }
                }
            }
            ending.formUnion(matched)
            // What matches already makes other patterns of the rule idle.
            alive.removeAll { matched.contains(patterns[$0].rule) }
            let depth = state.depth + 1
            // A peer's ID has a path.
            if depth > 1 { found(ending, segments) }
            if alive.isEmpty {
                // All that follows is alike.
                var longer = segments
                longer.parts.append((Self.anySegment, true))
                longer.isOpen = true
                found(matched, longer)
            } else {
                try step(State(depth: depth, alive: alive, matched: matched), segments, &work, found)
            }
        }

        private static func unused(in literals: Set<String>) -> String {
            guard literals.contains(anySegment) else { return anySegment }
            var number = 1
            while literals.contains("\(anySegment)\(number)") { number += 1 }
            return "\(anySegment)\(number)"
        }

        private static let anySegment = "other"
    }
}
