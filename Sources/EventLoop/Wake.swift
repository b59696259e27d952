import CLibURing
import Glibc

/// Ends a loop's wait from another thread: its next tick has a completion with ``OperationToken/wake``.
///
/// Whoever holds it must not signal after the loop is gone; ``Mailbox`` keeps that order.
public struct Wake: Sendable {
    let descriptor: Int32

    public func signal() {
        var one: UInt64 = 1
        // Safe: eight bytes of a local. A full counter (EAGAIN) already wakes the loop.
        _ = systemCall { unsafe write(descriptor, &one, 8) }
    }
}
