import Identity

/// The rules of one action, indexed by the literal prefixes of their identities.
///
/// A rule is listed under the literal prefix, up to the first star, of each of its patterns; a rule without identities,
/// under the empty prefix. An ID is matched only against the lists of its own prefixes, so that ten thousand rules for
/// ten thousand workloads cost a few look-ups.
struct RuleIndex: Sendable {
    /// Maps the key of each prefix to the range of `listed` that holds its rules, ascending.
    private let ranges: [UInt64: Range<Int>]
    private let listed: [Int]
    private let longestPrefixBytes: Int

    init(of rules: [Rule], action: Action) {
        var rulesOfKey: [UInt64: [Int]] = [:]
        var longestPrefixBytes = 0
        for (index, rule) in rules.enumerated() where rule.action == action {
            let prefixes = rule.identities.isEmpty ? [""] : rule.identities.map(\.literalPrefix)
            for key in Set(prefixes.map(PrefixKeys.key)) { rulesOfKey[key, default: []].append(index) }
            longestPrefixBytes = prefixes.reduce(longestPrefixBytes) { max($0, $1.utf8.count) }
        }
        var ranges: [UInt64: Range<Int>] = [:]
        var listed: [Int] = []
        for (key, indices) in rulesOfKey {
            ranges[key] = listed.count..<listed.count + indices.count
            listed += indices
        }
        self.ranges = ranges
        self.listed = listed
        self.longestPrefixBytes = longestPrefixBytes
    }

    /// The lowest index of a rule that matches; allocates nothing.
    func firstMatch(_ request: borrowing Request, in rules: [Rule]) -> Int? {
        let identity = request.peer.description.utf8
        var keys = PrefixKeys(of: identity.span, atMostBytes: longestPrefixBytes)
        var first: Int?
        while let key = keys.next() {
            // Two prefixes may share a key, so the rules below are matched in full.
            guard let range = ranges[key] else { continue }
            for position in range {
                let index = listed[position]
                if let first, first <= index { break }
                if rules[index].matches(request) {
                    first = index
                    break
                }
            }
        }
        return first
    }

    /// A superset, in no order, of the rules with an identity that covers this whole pattern; nil is the pattern of
    /// every ID.
    func candidates(toCover pattern: IdentityPattern?) -> [Int] {
        let prefix = (pattern?.literalPrefix ?? "").utf8
        var keys = PrefixKeys(of: prefix.span, atMostBytes: longestPrefixBytes)
        var candidates: [Int] = []
        while let key = keys.next() {
            if let range = ranges[key] { candidates += listed[range] }
        }
        return candidates
    }
}
