import CLoopback
import Glibc
public import PosternTesting

/// Waits on many descriptors at once; owns one epoll descriptor.
public struct Poller: ~Copyable {
    public struct Event: Sendable {
        public let key: Int
        public let readable: Bool
        public let writable: Bool
    }

    public enum Interest: Sendable { case reading, writing, both }

    private let descriptor: Int32
    private var events = [postern_ready](repeating: postern_ready(), count: 256)

    public init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "out of descriptors")
    }

    deinit { close(descriptor) }

    /// Watches a descriptor (until it is closed); `key` comes back in its events.
    public func add(_ watched: Int32, _ interest: Interest, key: Int) {
        control(EPOLL_CTL_ADD, watched, interest, key)
    }

    public func change(_ watched: Int32, _ interest: Interest, key: Int) {
        control(EPOLL_CTL_MOD, watched, interest, key)
    }

    /// Waits until something is ready or the deadline has passed; an error on a descriptor makes it readable.
    public mutating func wait(until deadline: Deadline) -> [Event] {
        // The call fills at most `count` entries of the array.
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe postern_poller_wait(descriptor, $0.baseAddress!, Int32($0.count), deadline.remainingNanoseconds)
        }
        guard count > 0 else { return [] }
        return events[..<Int(count)].map { ready in
            let broken = ready.events & (Self.failed | Self.hungUp) != 0
            return Event(
                key: Int(ready.key), readable: broken || ready.events & Self.readable != 0,
                writable: ready.events & Self.writable != 0)
        }
    }

    private func control(_ operation: Int32, _ watched: Int32, _ interest: Interest, _ key: Int) {
        let bits =
            switch interest {
            case .reading: Self.readable
            case .writing: Self.writable
            case .both: Self.readable | Self.writable
            }
        let outcome = postern_poller_control(descriptor, operation, watched, bits, UInt64(key))
        precondition(outcome == 0, "epoll_ctl on a bad descriptor")
    }

    private static let readable = EPOLLIN.rawValue
    private static let writable = EPOLLOUT.rawValue
    private static let failed = EPOLLERR.rawValue
    private static let hungUp = EPOLLHUP.rawValue
}
