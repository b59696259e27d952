import Identity

/// The rules of one action, found by what their identities begin with.
///
/// A rule is listed under the literal part before the first star of each of its patterns; one that names no
/// identity, under the empty part. An ID meets the lists of its own beginnings only, so that ten thousand rules
/// for ten thousand workloads cost a few look-ups.
struct RuleIndex: Sendable {
    /// For the key of each beginning, which part of `listed` holds its rules, ascending.
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
        let identity = request.identity.description.utf8
        var keys = PrefixKeys(of: identity.span, atMostBytes: longestPrefixBytes)
        var first: Int?
        while let key = keys.next() {
            // Two beginnings may share a key: the rules below are asked in full.
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

    /// The rules, in no order, among which are all that match something that this pattern matches whole; nil is
    /// the pattern of every ID.
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
