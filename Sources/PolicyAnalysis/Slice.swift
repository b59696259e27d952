/// Values of one condition that the same rules match: an interval, a name, or IDs of one form.
struct Slice<Value: Sendable>: Sendable {
    /// Of those rules that were asked for, the ones whose condition holds for each of these values.
    var rules: RuleSet
    /// One of the values.
    var example: Value
    /// All of the values, in words.
    var text: String
}

/// Slices by the rules that they match; of several with the same rules the first one stays.
struct SliceTable<Value: Sendable> {
    private var numbers: [RuleSet: Int] = [:]
    private(set) var slices: [Slice<Value>] = []

    func has(_ rules: RuleSet) -> Bool { numbers[rules] != nil }

    mutating func add(_ rules: RuleSet, _ example: @autoclosure () -> Value, _ text: @autoclosure () -> String) {
        guard numbers[rules] == nil else { return }
        numbers[rules] = slices.count
        slices.append(Slice(rules: rules, example: example(), text: text()))
    }
}
