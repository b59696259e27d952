/// A loop, and why it has its backend.
public struct OpenedLoop: ~Copyable {
    public let loop: EventLoop
    public let because: String

    /// Opens the requested backend; throws if that is io_uring and it is refused.
    public static func open(_ request: EventLoopRequest, _ limits: LoopLimits) throws(EventLoopFault) -> OpenedLoop {
        switch request {
        case .ioURing: return OpenedLoop(loop: try .ioURing(limits), because: "asked for")
        case .epoll: return OpenedLoop(loop: try .epoll(limits), because: "asked for")
        case .automatic:
            do throws(EventLoopFault) {
                return OpenedLoop(loop: try .ioURing(limits), because: "io_uring works here")
            } catch {
                return OpenedLoop(loop: try .epoll(limits), because: "\(error)")
            }
        }
    }

    public consuming func take() -> EventLoop { loop }
}
