/// A whole number with a unit, as written in the file: a duration or an amount of memory.
protocol Quantity: CustomStringConvertible {
    /// From the largest to the smallest; `count` is in the smallest unit.
    static var units: [(name: String, count: Int)] { get }
    /// The expected text, with examples, for messages.
    static var expected: String { get }
    /// The unit suggested for a number without one.
    static var usualUnit: String { get }

    /// In the smallest unit.
    var count: Int { get }
    init(_ count: Int)
}

extension Quantity {
    /// Nil for any other text, and on overflow.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let word = text.dropFirst(digits.count)
        guard let number = decimal(String(digits)), let unit = Self.units.first(where: { $0.name == word }) else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.count)
        guard !overflow else { return nil }
        self.init(product)
    }

    /// In the largest unit that divides it.
    var description: String {
        guard count > 0, let unit = Self.units.first(where: { count % $0.count == 0 }) else {
            return "\(count)\(Self.units.last?.name ?? "")"
        }
        return "\(count / unit.count)\(unit.name)"
    }
}

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

/// An amount of memory: a whole number and `B`, `KiB`, `MiB` or `GiB`, or `Ki`, `Mi` or `Gi` as Kubernetes writes it.
struct SizeText: Quantity {
    let count: Int

    init(_ bytes: Int) { count = bytes }

    // The unit written for each size comes first.
    static let units: [(name: String, count: Int)] = [
        (name: "GiB", count: 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("Gi", 1 << 30), ("Mi", 1 << 20),
        ("Ki", 1 << 10), ("B", 1),
    ]
    static let expected = "a size such as 64MiB or 1GiB"
    static let usualUnit = "MiB"
}
