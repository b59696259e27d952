import Synchronization

/// Messages from any thread to one worker, in order; the only way in.
///
/// Messages are rare (reload, drain), so a mutex serves. The worker checks it only on ``OperationToken/wake``.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct Contents {
        var messages: [Message] = []
        var wake: Wake?
        var closed = false
    }

    private let contents = Mutex(Contents())

    public init() {}

    /// Adds a message and wakes the worker; false if the worker has ended.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        contents.withLock { contents in
            guard !contents.closed else { return false }
            contents.messages.append(message)
            // Signalled under the lock: `close()` thus happens before the descriptor is gone.
            contents.wake?.signal()
            return true
        }
    }

    /// Called by the worker once its loop exists; wakes it where messages are waiting already.
    public func open(wake: Wake) {
        contents.withLock { contents in
            contents.wake = wake
            if !contents.messages.isEmpty { wake.signal() }
        }
    }

    /// Removes and returns all messages.
    public func take() -> [Message] {
        contents.withLock { contents in
            let taken = contents.messages
            contents.messages.removeAll(keepingCapacity: true)
            return taken
        }
    }

    /// Called by the worker before its loop is destroyed.
    public func close() {
        contents.withLock { contents in
            contents.closed = true
            contents.messages = []
            contents.wake = nil
        }
    }
}
