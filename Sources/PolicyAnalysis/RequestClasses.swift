public import Policy

/// Requests that the same rules match.
public struct RequestClass: Sendable {
    /// One of them.
    public let example: Request
    /// All of them, or a part of them that lies together, in words.
    public let description: String
}

/// All requests there can be, sorted by what rules make of them.
///
/// Conditions are taken one after the other; of each, the values are cut into slices that the same rules match, and
/// each slice goes on with those rules alone. That is exact: nothing is sampled.
struct RequestClasses<Key: Hashable> {
    private let rules: [Rule]
    private let scope: RequestScope
    /// What the requests that these rules match, and no others, come under; nil: under nothing. The second parameter
    /// is whether the peer has an identity.
    private let key: (RuleSet, Bool) -> Key?
    /// Whether requests that some of these rules match all come under nothing.
    private let isIdle: (RuleSet) -> Bool
    private var work: WorkAllowance
    private var known: [Stage: [Key: Rest]] = [:]

    /// The conditions after the identity, and what is found for them.
    private struct Stage: Hashable {
        var condition: Int
        var rules: RuleSet
        var hasIdentity: Bool
    }

    private struct Rest {
        var port: UInt16 = 1
        var source = IPAddress.v4(0)
        var serverName: String?
        var texts: [String] = []
    }

    init(
        _ rules: [Rule], within scope: RequestScope, steps: Int, isIdle: @escaping (RuleSet) -> Bool = { _ in false },
        key: @escaping (RuleSet, Bool) -> Key?
    ) {
        // All requests match the last rule.
        self.rules = rules + [scope.rule]
        self.scope = scope
        self.key = key
        self.isIdle = isIdle
        work = WorkAllowance(steps)
    }

    /// One class for each key there is.
    mutating func find() throws(WorkLimitReached) -> [Key: RequestClass] {
        var found: [Key: RequestClass] = [:]
        let all = rules.enumerated().map { (index: $0.offset, rule: $0.element) }
        for slice in try IdentitySlices.slices(all, ruleCount: rules.count, &work) {
            let hasIdentity = slice.example.identity != nil
            guard hasIdentity || scope.admitsPlaintext else { continue }
            let rests = try rest(Stage(condition: 0, rules: slice.rules, hasIdentity: hasIdentity))
            for (key, rest) in rests where found[key] == nil {
                let request = Request(
                    identity: slice.example.identity, source: rest.source, destinationPort: rest.port,
                    serverName: rest.serverName)
                let texts = [slice.text] + rest.texts.reversed()
                found[key] = RequestClass(example: request, description: texts.joined(separator: ", "))
            }
        }
        return found
    }

    private mutating func rest(_ stage: Stage) throws(WorkLimitReached) -> [Key: Rest] {
        try work.take(1)
        if !stage.rules.contains(rules.count - 1) { return [:] }
        if isIdle(stage.rules) { return [:] }
        if let found = known[stage] { return found }
        var found: [Key: Rest] = [:]
        let live = stage.rules.indices
        switch stage.condition {
        case 0:
            for slice in try ports(live) {
                try go(on: stage, slice, &found) { $0.port = $1 }
            }
        case 1:
            for slice in try sources(live) {
                try go(on: stage, slice, &found) { $0.source = $1 }
            }
        case 2:
            let patterns = live.map { (rule: $0, patterns: rules[$0].serverNames) }
            for slice in try NameSlices.slices(patterns, ruleCount: rules.count, &work) {
                try go(on: stage, slice, &found) { $0.serverName = $1 }
            }
        default: if let key = key(stage.rules, stage.hasIdentity) { found[key] = Rest() }
        }
        known[stage] = found
        return found
    }

    private mutating func go<Value>(
        on stage: Stage, _ slice: Slice<Value>, _ found: inout [Key: Rest], set: (inout Rest, Value) -> Void
    ) throws(WorkLimitReached) {
        let next = Stage(condition: stage.condition + 1, rules: slice.rules, hasIdentity: stage.hasIdentity)
        for (key, rest) in try self.rest(next) where found[key] == nil {
            var rest = rest
            set(&rest, slice.example)
            rest.texts.append(slice.text)
            found[key] = rest
        }
    }

    private mutating func ports(_ live: [Int]) throws(WorkLimitReached) -> [Slice<UInt16>] {
        let intervals = live.map { index in
            let ranges = rules[index].destinationPorts
            return (rule: index, intervals: ranges.isEmpty ? nil : ranges.map { $0.lower...$0.upper })
        }
        return try IntervalSlices.slices(
            of: scope.hasPort ? 1...UInt16.max : 0...0, intervals, ruleCount: rules.count, &work
        ) {
            $0
        } text: { range, _ in
            range.upperBound == 0
                ? "a Unix socket"
                : range.lowerBound == range.upperBound
                    ? "port \(range.lowerBound)" : "ports \(range.lowerBound)-\(range.upperBound)"
        }
    }

    private mutating func sources(_ live: [Int]) throws(WorkLimitReached) -> [Slice<IPAddress>] {
        func text<Number>(_ range: ClosedRange<Number>, _ address: (Number) -> IPAddress) -> String {
            let (first, last) = (address(range.lowerBound), address(range.upperBound))
            return first == last ? "from \(first)" : "from \(first)-\(last)"
        }
        let v4 = live.map { index in
            let blocks = rules[index].sources
            return (rule: index, intervals: blocks.isEmpty ? nil : blocks.compactMap(\.v4Numbers))
        }
        let v6 = live.map { index in
            let blocks = rules[index].sources
            return (rule: index, intervals: blocks.isEmpty ? nil : blocks.compactMap(\.v6Numbers))
        }
        return try IntervalSlices.slices(of: 0...UInt32.max, v4, ruleCount: rules.count, &work) {
            IPAddress.v4($0)
        } text: { range, _ in
            text(range) { .v4($0) }
        }
            + IntervalSlices.slices(
                of: 0...UInt128.max, without: IPAddress.mappedNumbers, v6, ruleCount: rules.count, &work
            ) {
                IPAddress($0)
            } text: { range, _ in
                text(range) { IPAddress($0) }
            }
    }
}
