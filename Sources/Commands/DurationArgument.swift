import ArgumentParser

/// `250ms`, `10s`, `5m` or `1h`.
package struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    package let nanoseconds: UInt64
    package let description: String
    package var milliseconds: Int { Int(nanoseconds / 1_000_000) }

    package init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: UInt64] = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000]
        guard let number = UInt64(digits), number <= 3_600_000, let unit = units[argument.dropFirst(digits.count)],
            number * unit <= Self.longestMilliseconds
        else { return nil }
        nanoseconds = number * unit * 1_000_000
        description = argument
    }

    package init(seconds: UInt64) {
        nanoseconds = seconds * 1_000_000_000
        description = "\(seconds)s"
    }

    private static let longestMilliseconds: UInt64 = 24 * 3_600_000
}
