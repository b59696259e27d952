import CLoopback
import Glibc
import PosternTesting
import Synchronization
import System
import Testing

@testable import EventLoop

@Suite("The choice of a backend")
struct OpenedLoopTests {
    private final class Outcome: Sendable {
        struct Contents {
            var kind: BackendKind?
            var because = ""
            var fault: EventLoopFault?
        }

        let contents = Mutex(Contents())
    }

    /// Opens a loop on a thread of its own, to which io_uring is refused with `errno` where one is given.
    private static func open(_ request: EventLoopRequest, refusedWith errno: Int32?) -> Outcome.Contents {
        let outcome = Outcome()
        let thread = BackgroundThread {
            if let errno { precondition(postern_forbid_io_uring(errno) == 0, "no seccomp here") }
            do throws(EventLoopFault) {
                let opened = try OpenedLoop.open(request, LoopLimits())
                let because = opened.because
                let loop = opened.take()
                outcome.contents.withLock { $0 = .init(kind: loop.kind, because: because) }
            } catch {
                outcome.contents.withLock { $0 = .init(fault: error) }
            }
        }
        thread.join()
        return outcome.contents.withLock { $0 }
    }

    @Test("io_uring is chosen where it works")
    func works() {
        #expect(Self.open(.automatic, refusedWith: nil).kind == .ioURing)
        #expect(Self.open(.ioURing, refusedWith: nil).kind == .ioURing)
        #expect(Self.open(.epoll, refusedWith: nil).kind == .epoll)
    }

    @Test(
        "a sandbox that refuses io_uring gets epoll, and the log gets the reason", arguments: [EPERM, ENOSYS, ENOMEM])
    func refused(code: Int32) {
        let outcome = Self.open(.automatic, refusedWith: code)
        #expect(outcome.kind == .epoll)
        #expect(outcome.because == EventLoopFault.ioURingRefused(errno: code).description)
        #expect(outcome.because.hasPrefix("io_uring is refused here"))
        #expect(outcome.because.hasSuffix(describe(code)))
    }

    @Test("an io_uring that was asked for and is refused is a failure, with the reason")
    func forced() {
        #expect(Self.open(.ioURing, refusedWith: EPERM).fault == .ioURingRefused(errno: EPERM))
        #expect(Self.open(.epoll, refusedWith: EPERM).kind == .epoll)
    }

    @Test("a kernel that does not know the ring's flags lacks something")
    func lacks() {
        let outcome = Self.open(.automatic, refusedWith: EINVAL)
        #expect(outcome.kind == .epoll)
        #expect(outcome.because.contains("lacks"))
    }
}
