/// The kernel interface to wait with.
public enum EventLoopChoice: String, Hashable, Sendable, CaseIterable {
    /// io_uring where the kernel allows it, else epoll.
    case auto
    case ioURing = "io_uring"
    case epoll
}
