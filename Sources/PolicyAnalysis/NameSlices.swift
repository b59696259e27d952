import Policy

/// Slices of the names that clients send (SNI).
enum NameSlices {
    /// - Parameter patterns: of each rule that may match; empty: the rule does not name this condition.
    static func slices(
        _ patterns: [(rule: Int, patterns: [ServerNamePattern])], ruleCount: Int, _ work: inout WorkAllowance
    ) throws(WorkLimitReached) -> [Slice<String?>] {
        let all = Set(patterns.flatMap(\.patterns).map(\.description))
        var table = SliceTable<String?>()
        func add(_ name: String?, _ text: @autoclosure () -> String) throws(WorkLimitReached) {
            try work.take(1 + patterns.count)
            var rules = RuleSet(count: ruleCount)
            for (rule, patterns) in patterns {
                let holds = patterns.isEmpty || name.map { name in patterns.contains { $0.matches(name) } } ?? false
                if holds { rules.insert(rule) }
            }
            table.add(rules, name, text())
        }
        try add(nil, "without SNI")
        // Below `*.b.c` there is one slice for all names that no longer pattern ends: those with any other label there.
        for pattern in all.sorted() {
            if pattern.hasPrefix("*") {
                let suffix = pattern.dropFirst()
                guard let name = unused(in: all, suffix: suffix) else { continue }
                try add(name, "SNI \(pattern), any other")
            } else {
                try add(pattern, "SNI \(pattern)")
            }
        }
        if let name = unused(in: all, suffix: "") { try add(name, "any other SNI") }
        return table.slices
    }

    /// A name that ends so, that no pattern is, and that only patterns of that end match.
    private static func unused(in all: Set<String>, suffix: Substring) -> String? {
        for label in labels {
            let name = label + suffix
            guard name.utf8.count <= 253 else { return nil }
            if !all.contains(name), !all.contains("*." + name) { return name }
        }
        return nil
    }

    private static let labels: [String] = {
        let letters = "abcdefghijklmnopqrstuvwxyz".map { String($0) }
        return ["x"] + letters + letters.flatMap { first in letters.map { first + $0 } }
            + (0..<4_096).map { "x\($0)" }
    }()
}
