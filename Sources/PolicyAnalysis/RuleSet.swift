/// A set of rules, by their indices.
struct RuleSet: Hashable, Sendable {
    private var words: [UInt64]

    /// - Parameter count: of all rules there are.
    init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    static func all(_ count: Int) -> RuleSet {
        var set = RuleSet(count: count)
        for index in 0..<count { set.insert(index) }
        return set
    }

    mutating func insert(_ index: Int) { words[index / 64] |= 1 << UInt64(index % 64) }

    mutating func remove(_ index: Int) { words[index / 64] &= ~(1 << UInt64(index % 64)) }

    func contains(_ index: Int) -> Bool { words[index / 64] >> UInt64(index % 64) & 1 == 1 }

    mutating func formUnion(_ other: RuleSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Ascending.
    var indices: [Int] {
        var indices: [Int] = []
        for (number, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                indices.append(number * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
        return indices
    }
}
