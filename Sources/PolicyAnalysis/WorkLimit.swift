/// The analysis would take too long: rules of that many different conditions are more than it can tell apart.
public struct WorkLimitReached: Error, Hashable, Sendable, CustomStringConvertible {
    public init() {}

    public var description: String {
        "the policies have too many combinations of conditions to compare all requests"
    }
}

/// How much may still be done.
struct WorkAllowance {
    private var left: Int

    init(_ steps: Int) { left = steps }

    mutating func take(_ steps: Int) throws(WorkLimitReached) {
        left -= steps
        guard left >= 0 else { throw WorkLimitReached() }
    }
}
