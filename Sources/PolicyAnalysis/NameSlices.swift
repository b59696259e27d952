import Policy

/// Slices of the names that clients send (SNI).
enum NameSlices {
    /// - Parameter patterns: of each rule that may match; empty: the rule does not name this condition.
    static func slices(
        _ patterns: [(rule: Int, patterns: [ServerNamePattern])], ruleCount: Int, _ work: inout WorkAllowance
    ) throws(WorkLimitReached) -> [Slice<String?>] {
        let all = Set(patterns.flatMap(\.patterns).map(\.description))
        let index = NameIndex(patterns, ruleCount: ruleCount)
        var table = SliceTable<String?>()
        func add(_ name: String?, _ text: @autoclosure () -> String) throws(WorkLimitReached) {
            let rules = index.rules(matching: name)
            try work.take(16)
            table.add(rules, name, text())
        }
        try add(nil, "without SNI")
        // Below `*.b.c` there is one slice for all names that no longer pattern ends: those with any other label there.
        for pattern in all.sorted() {
            if pattern.hasPrefix("*") {
                let suffix = pattern.dropFirst()
                guard let name = try unused(in: all, suffix: suffix) else { continue }
                try add(name, "SNI \(pattern), any other")
            } else {
                try add(pattern, "SNI \(pattern)")
            }
        }
        if let name = try unused(in: all, suffix: "") { try add(name, "any other SNI") }
        return table.slices
    }

    /// The shortest name that ends so, that no pattern is, and that only patterns of that end match; nil if none fits
    /// into a name.
    private static func unused(in all: Set<String>, suffix: Substring) throws(WorkLimitReached) -> String? {
        guard suffix.utf8.count < bytesAtMost else { return nil }
        // Each pattern takes one label at most.
        for number in 0...all.count {
            let name = label(number) + suffix
            // Shorter ones are taken, each by a pattern of its own.
            guard name.utf8.count <= bytesAtMost else { throw WorkLimitReached() }
            if !all.contains(name), !all.contains("*." + name) { return name }
        }
        throw WorkLimitReached()
    }

    /// Labels of letters, the shortest first, all of them different.
    private static func label(_ number: Int) -> String {
        var (rest, letters) = (number, [Character]())
        repeat {
            letters.append(alphabet[rest % alphabet.count])
            rest = rest / alphabet.count - 1
        } while rest >= 0
        return String(letters)
    }

    private static let alphabet = Array("xabcdefghijklmnopqrstuvwyz")
    private static let bytesAtMost = 253
}

/// Which rules a name matches, found by the name and by its ends.
private struct NameIndex {
    /// Of rules that do not name the condition.
    private var anyway: RuleSet
    private var exact: [Substring: [Int]] = [:]
    /// By what follows the star, from its dot on.
    private var wild: [Substring: [Int]] = [:]

    init(_ patterns: [(rule: Int, patterns: [ServerNamePattern])], ruleCount: Int) {
        anyway = RuleSet(count: ruleCount)
        for (rule, patterns) in patterns {
            if patterns.isEmpty { anyway.insert(rule) }
            for pattern in patterns {
                let text = pattern.description[...]
                if text.hasPrefix("*") {
                    wild[text.dropFirst(), default: []].append(rule)
                } else {
                    exact[text, default: []].append(rule)
                }
            }
        }
    }

    /// - Parameter name: in lower case; nil: the client sent none.
    func rules(matching name: String?) -> RuleSet {
        var rules = anyway
        guard let name else { return rules }
        for rule in exact[name[...]] ?? [] { rules.insert(rule) }
        for dot in name.indices.dropFirst() where name[dot] == "." {
            for rule in wild[name[dot...]] ?? [] { rules.insert(rule) }
        }
        return rules
    }
}
