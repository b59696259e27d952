/// A duration: a whole number and `ms`, `s`, `m` or `h`.
struct DurationText: Quantity {
    let count: Int

    init(_ milliseconds: Int) { count = milliseconds }

    static let units: [(name: String, count: Int)] = [
        (name: "h", count: 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    static let expected = "a duration such as 250ms, 10s, 5m or 1h"
    static let usualUnit = "s"
}
