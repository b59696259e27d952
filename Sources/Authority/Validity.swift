import Glibc

/// From when until when a certificate is good, in Unix seconds, both ends included.
public struct Validity: Hashable, Sendable {
    public var notBefore: Int64
    public var notAfter: Int64

    public init(notBefore: Int64, notAfter: Int64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// From a minute ago (clocks differ a little) for `seconds` from now.
    public static func seconds(_ seconds: Int64) -> Validity {
        let now = unixSeconds()
        return Validity(notBefore: now - 60, notAfter: now + seconds)
    }

    public static func hours(_ hours: Int64) -> Validity { .seconds(hours * 3_600) }

    public static func days(_ days: Int64) -> Validity { .seconds(days * 86_400) }

    /// Ended an hour ago.
    public static var over: Validity {
        let now = unixSeconds()
        return Validity(notBefore: now - 7_200, notAfter: now - 3_600)
    }

    /// Begins in an hour.
    public static var ahead: Validity {
        let now = unixSeconds()
        return Validity(notBefore: now + 3_600, notAfter: now + 7_200)
    }
}

/// The wall clock, in Unix seconds.
func unixSeconds() -> Int64 {
    var now = timespec()
    // CLOCK_REALTIME always exists; the call fills `now`, which outlives it.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec)
}

/// The C library's text for an errno.
func systemMessage(_ errno: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let room = buffer.count
    // The POSIX variant writes a terminated string of at most `room` bytes into the array, which outlives the call.
    guard unsafe strerror_r(errno, &buffer, room) == 0 else { return "error \(errno)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
