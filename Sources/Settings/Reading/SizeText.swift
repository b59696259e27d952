/// An amount of memory as the file writes it: a whole number and `KiB`, `MiB` or `GiB`, or `Ki`, `Mi` or `Gi` as
/// Kubernetes does.
struct SizeText: CustomStringConvertible {
    var bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// Nil for any other text, and for what does not fit.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count)
        guard let number = decimal(String(digits)),
            let factor = Self.units.first(where: { $0.name == unit || $0.name.dropLast() == unit })?.bytes
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        bytes = product
    }

    /// In the largest unit that divides it.
    var description: String {
        guard bytes > 0, let unit = Self.units.first(where: { bytes % $0.bytes == 0 }) else { return "\(bytes) bytes" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]
}
