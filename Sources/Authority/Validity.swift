import System

/// A certificate's validity period in Unix seconds, both ends included.
public struct Validity: Hashable, Sendable {
    public var notBefore: Int64
    public var notAfter: Int64

    public init(notBefore: Int64, notAfter: Int64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// From a minute ago (clocks differ a little) for `seconds` from now.
    public static func seconds(_ seconds: Int64) -> Validity {
        let now = WallClock.seconds()
        return Validity(notBefore: now - 60, notAfter: now + seconds)
    }

    public static func hours(_ hours: Int64) -> Validity { .seconds(hours * 3_600) }

    public static func days(_ days: Int64) -> Validity { .seconds(days * 86_400) }

    /// Expired an hour ago.
    public static var over: Validity {
        let now = WallClock.seconds()
        return Validity(notBefore: now - 7_200, notAfter: now - 3_600)
    }

    /// Begins in an hour.
    public static var ahead: Validity {
        let now = WallClock.seconds()
        return Validity(notBefore: now + 3_600, notAfter: now + 7_200)
    }
}
