/// A duration as the file writes it: a whole number and `ms`, `s`, `m` or `h`.
struct DurationText: CustomStringConvertible {
    var milliseconds: Int

    init(_ milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    /// Nil for any other text, and for what does not fit.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard
            let number = decimal(String(digits)),
            let unit = Self.units.first(where: { $0.name == text.dropFirst(digits.count) })
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow else { return nil }
        self.milliseconds = product
    }

    /// In the largest unit that divides it.
    var description: String {
        guard milliseconds > 0, let unit = Self.units.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "\(milliseconds)ms"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    private static let units: [(name: String, milliseconds: Int)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
}
