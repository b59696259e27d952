/// A second of the proleptic Gregorian calendar in UTC, worked out without the C library's locale or time zone.
public struct CivilTime: Hashable, Sendable {
    public let year, month, day, hour, minute, second: Int

    public init(unixSeconds: Int64) {
        let days = Int(unixSeconds.floorDivided(by: 86_400))
        let ofDay = Int(unixSeconds - Int64(days) * 86_400)
        // Days are counted from 0000-03-01, so that the leap day ends a year (Howard Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = ofDay / 3_600
        minute = ofDay / 60 % 60
        second = ofDay % 60
    }

    /// RFC 3339 in UTC, to the second: `2026-01-31T23:59:59Z`.
    public static func rfc3339(unixSeconds: Int64) -> String {
        CivilTime(unixSeconds: unixSeconds).dateAndTime + "Z"
    }

    /// RFC 3339 in UTC, to the millisecond (cut, not rounded): `2026-01-31T23:59:59.123Z`.
    public static func rfc3339(unixNanoseconds: Int64) -> String {
        let seconds = unixNanoseconds.floorDivided(by: 1_000_000_000)
        let milliseconds = Int((unixNanoseconds - seconds * 1_000_000_000) / 1_000_000)
        return "\(CivilTime(unixSeconds: seconds).dateAndTime).\(padded(milliseconds, 3))Z"
    }

    /// The decimal digits of a non-negative number, with leading zeros up to `width`.
    public static func padded(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    private var dateAndTime: String {
        func two(_ value: Int) -> String { Self.padded(value, 2) }
        return "\(Self.padded(year, 4))-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))"
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
