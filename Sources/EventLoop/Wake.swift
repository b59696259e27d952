import System

/// Ends a loop's wait from another thread: its next tick has a completion with ``OperationToken/wake``.
///
/// Its holder must not signal after the loop is gone; ``Mailbox`` keeps that order.
public struct Wake: Sendable {
    let descriptor: Int32

    public func signal() { EventCounter.signal(descriptor) }
}
