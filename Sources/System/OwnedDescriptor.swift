import Glibc

/// Owns a file descriptor and closes it. A negative number, with which the system says that there is none, owns none.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    /// Waits until the descriptor is ready for `events`; false if the time-out (-1 for none) expires first.
    public static func wait(_ number: Int32, for events: Int32, timeoutMilliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(events), revents: 0)
        // One entry, which outlives the call. A signal ends the wait early: callers check again.
        return unsafe poll(&entry, 1, timeoutMilliseconds) > 0
    }

    /// Hands the descriptor over; the caller closes it.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { if number >= 0 { closeDescriptor(number) } }
}

/// Closes a descriptor that has no ``OwnedDescriptor``. Traps if it is not open: a double close is our bug, and may
/// already have closed another thread's descriptor.
public func closeDescriptor(_ number: Int32) {
    let result = close(number)
    precondition(result == 0 || errno != EBADF, "a descriptor was closed twice")
}
