/// Times of a certificate's validity (RFC 5280 4.1.2.5), as Unix seconds.
enum CertificateTime {
    /// A UTCTime, `YYMMDDHHMMSSZ`: years 1950 to 2049.
    static func utc(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> Int64 {
        guard content.count == 13 else { throw .malformedCertificate }
        let year = try number(bytes, at: content.lowerBound, digits: 2)
        return try seconds(bytes, at: content.lowerBound + 2, year: year < 50 ? 2000 + year : 1900 + year)
    }

    /// A GeneralizedTime, `YYYYMMDDHHMMSSZ`: no fraction, no offset.
    static func generalized(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> Int64 {
        guard content.count == 15 else { throw .malformedCertificate }
        let year = try number(bytes, at: content.lowerBound, digits: 4)
        return try seconds(bytes, at: content.lowerBound + 4, year: year)
    }

    /// The rest of a time, from its month to its `Z`; eleven bytes, which the caller has counted.
    private static func seconds(_ bytes: Span<UInt8>, at start: Int, year: Int) throws(SVIDRefusal) -> Int64 {
        let month = try number(bytes, at: start, digits: 2)
        let day = try number(bytes, at: start + 2, digits: 2)
        let hour = try number(bytes, at: start + 4, digits: 2)
        let minute = try number(bytes, at: start + 6, digits: 2)
        let second = try number(bytes, at: start + 8, digits: 2)
        guard (1...12).contains(month), (1...days(inMonth: month, year: year)).contains(day),
            hour < 24, minute < 60, second < 60, bytes[start + 10] == UInt8(ascii: "Z")
        else { throw .malformedCertificate }
        let days = daysSince1970(year: year, month: month, day: day)
        return Int64(((days * 24 + hour) * 60 + minute) * 60 + second)
    }

    private static func number(_ bytes: Span<UInt8>, at start: Int, digits: Int) throws(SVIDRefusal) -> Int {
        var number = 0
        for index in start..<start + digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else { throw .malformedCertificate }
            number = number * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return number
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days of the Gregorian calendar, for years from 0 on.
    ///
    /// Years begin in March here, so that the leap day comes last; 400 of them have 146,097 days, and
    /// 1970-01-01 is day 719,468.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let month = month <= 2 ? month + 9 : month - 3
        let dayOfYear = (153 * month + 2) / 5 + day - 1
        // Year 0's January and February belong to year -1, and division must round down there.
        let shifted = year + 400
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 146_097 - 719_468
    }
}
