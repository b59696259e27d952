import Glibc
import System

/// An eventfd that threads use to wake one another.
public final class ControlWake: Sendable {
    private let descriptor: OwnedDescriptor

    public init() throws(ControlFault) { descriptor = try .event() }

    /// Valid for this object's lifetime.
    public var number: Int32 { descriptor.number }

    /// Any thread; signals not waited for yet count as one.
    public func signal() { EventCounter.signal(number) }

    /// Resets the counter.
    public func clear() { EventCounter.clear(number) }

    /// Waits for a signal without consuming it; false on timeout (-1 waits forever).
    public func wait(timeoutMilliseconds: Int32) -> Bool {
        OwnedDescriptor.wait(number, for: POLLIN, timeoutMilliseconds: timeoutMilliseconds)
    }
}
