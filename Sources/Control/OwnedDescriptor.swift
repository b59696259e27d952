import CLibEvent
import Glibc

/// Owns a file descriptor and closes it.
struct OwnedDescriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    /// An eventfd, non-blocking, its counter at zero.
    static func event() throws(ControlFault) -> OwnedDescriptor {
        let number = eventfd(0, postern_eventfd_flags)
        guard number >= 0 else { throw .system(what: "cannot make an eventfd", errno: errno) }
        return OwnedDescriptor(number)
    }

    /// Adds one to an eventfd's counter, so that it becomes readable. A full counter is readable already.
    static func signal(_ number: Int32) { _ = eventfd_write(number, 1) }

    /// Sets an eventfd's counter back to zero.
    static func clear(_ number: Int32) {
        var count: eventfd_t = 0
        // Writes 8 bytes into `count`, which outlives the call.
        _ = unsafe eventfd_read(number, &count)
    }

    /// Waits until the descriptor is ready for `events`; false when the time (-1 is none) is over first.
    static func wait(_ number: Int32, for events: Int32, timeoutMilliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(events), revents: 0)
        // One entry, which outlives the call. A signal ends the wait early: callers look again.
        return unsafe poll(&entry, 1, timeoutMilliseconds) > 0
    }

    /// Leaves the closing to the caller.
    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { close(number) }
}
