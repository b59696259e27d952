/// The requested backend.
public enum EventLoopRequest: Sendable {
    /// io_uring, or epoll where the kernel or its sandbox refuses io_uring.
    case automatic
    case ioURing
    case epoll
}
