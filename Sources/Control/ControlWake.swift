import Glibc
import System

/// An eventfd by which threads wake one another.
public final class ControlWake: Sendable {
    private let descriptor: OwnedDescriptor

    public init() throws(ControlFault) { descriptor = try .event() }

    /// Valid as long as this object.
    public var number: Int32 { descriptor.number }

    /// Any thread; signals that nobody waited for yet count as one.
    public func signal() { EventCounter.signal(number) }

    /// Takes back the signals so far.
    public func clear() { EventCounter.clear(number) }

    /// Waits for a signal without taking it; false when the time (-1 is none) is over first.
    public func wait(timeoutMilliseconds: Int32) -> Bool {
        OwnedDescriptor.wait(number, for: POLLIN, timeoutMilliseconds: timeoutMilliseconds)
    }
}
