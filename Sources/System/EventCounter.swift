public import Glibc

/// The counter of an eventfd, by which threads wake one another. Any thread, while the descriptor is open.
public enum EventCounter {
    /// Adds one, so that the descriptor becomes readable. A full counter is readable already.
    @inlinable
    public static func signal(_ descriptor: Int32) {
        var one: UInt64 = 1
        // Eight bytes of a local, which outlives the call.
        _ = systemCall { unsafe write(descriptor, &one, 8) }
    }

    /// Sets the counter of a non-blocking eventfd back to zero; false if it is there already.
    @inlinable
    @discardableResult
    public static func clear(_ descriptor: Int32) -> Bool {
        var count: UInt64 = 0
        // Eight bytes into a local, which outlives the call.
        return systemCall { unsafe read(descriptor, &count, 8) } == 8
    }
}
