import Testing

/// Every end-to-end test runs once on each.
enum EventLoopKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case ioURing = "io_uring"
    case epoll

    var testDescription: String { rawValue }
}
