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
