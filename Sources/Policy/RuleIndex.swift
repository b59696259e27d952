import Identity

/// The rules of one action in their order, those that name whole SPIFFE IDs found by a table.
struct RuleIndex: Sendable {
    /// For each ID, which part of `exactRules` holds the indices of the rules that name it, ascending.
    private let exactRanges: [SPIFFEID: Range<Int>]
    private let exactRules: [Int]
    /// The rules that any ID may match, ascending.
    private let otherRules: [Int]

    init(of rules: [Rule], action: Action) {
        var rulesOfID: [SPIFFEID: [Int]] = [:]
        var otherRules: [Int] = []
        for (index, rule) in rules.enumerated() where rule.action == action {
            guard let identities = rule.exactIdentities else {
                otherRules.append(index)
                continue
            }
            for identity in Set(identities) { rulesOfID[identity, default: []].append(index) }
        }
        var exactRules: [Int] = []
        exactRanges = rulesOfID.mapValues { indices in
            exactRules += indices
            return exactRules.count - indices.count..<exactRules.count
        }
        self.exactRules = exactRules
        self.otherRules = otherRules
    }

    /// The lowest index of a rule that matches; allocates nothing.
    func firstMatch(_ request: borrowing Request, in rules: [Rule]) -> Int? {
        var first: Int?
        for position in exactRanges[request.identity] ?? 0..<0 where rules[exactRules[position]].matches(request) {
            first = exactRules[position]
            break
        }
        for index in otherRules {
            if let first, first < index { break }
            if rules[index].matches(request) { return index }
        }
        return first
    }

    /// Calls `body` with the rules, in no order, that may match something that a rule naming `identity` (or, if
    /// nil, an ID of any kind) matches.
    func candidates(naming identity: SPIFFEID?) -> [Int] {
        let exact = identity.flatMap { exactRanges[$0] } ?? 0..<0
        return exactRules[exact] + otherRules
    }
}

extension Rule {
    /// The IDs of a rule that names whole IDs only; nil if it has a wildcard or names none.
    var exactIdentities: [SPIFFEID]? {
        let exact = identities.compactMap(\.exactIdentity)
        return exact.count == identities.count && !exact.isEmpty ? exact : nil
    }
}
