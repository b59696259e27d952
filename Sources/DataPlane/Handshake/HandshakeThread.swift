public import EventLoop
import Glibc
import Synchronization
import System
public import TLS

/// A thread that runs a worker's handshake steps while the worker relays.
///
/// A step takes as long as hundreds of relayed records. If both want the same core, the worker gets it, and the step
/// continues when the worker waits. Steps run in the order of their submission.
public final class HandshakeThread: Sendable {
    private struct State: ~Copyable {
        var waiting: [HandshakeStep] = []
        var finished: [HandshakeStep] = []
        var isOver = false
        var thread: PosixThread?
    }

    private let state = Mutex(State())
    private let hasWork: Semaphore
    private let wake: Wake

    /// Starts the thread; it ends with ``stop()``. Signals must be blocked by the caller.
    ///
    /// - Parameter wake: of the worker's loop, signalled when steps are finished; it must outlive the thread.
    public init(wake: Wake) throws(HandshakeThreadFault) {
        self.wake = wake
        hasWork = Semaphore()
        let exchange: RecordExchange
        do throws(TLSFault) { exchange = try RecordExchange() } catch { throw .tls(error) }
        let start = Start(thread: self, exchange: exchange)
        do throws(ThreadFault) {
            try state.withLock { state throws(ThreadFault) in state.thread = try PosixThread { start.run() } }
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    /// Ends the thread after its current step; waiting steps are dropped. Call it once, from the worker's thread.
    public func stop() {
        let thread = state.withLock { state in
            state.isOver = true
            state.waiting = []
            return state.thread.take()
        }
        hasWork.post()
        thread?.join()
        state.withLock { $0.finished = [] }
    }

    /// Submits a step; it comes back with ``takeFinished(_:)``.
    func submit(_ step: HandshakeStep) {
        let isFirst = state.withLock { state in
            state.waiting.append(step)
            return state.waiting.count == 1
        }
        if isFirst { hasWork.post() }
    }

    /// Finished steps in order, at most `limit`, and whether there are more.
    func takeFinished(_ limit: Int) -> (steps: [HandshakeStep], more: Bool) {
        state.withLock { state in
            let taken = Array(state.finished.prefix(limit))
            state.finished.removeFirst(taken.count)
            return (taken, !state.finished.isEmpty)
        }
    }

    // MARK: Private

    private func run(_ exchange: RecordExchange) {
        // Raising a priority needs a privilege, lowering it does not.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while true {
            hasWork.wait()
            let (steps, isOver) = state.withLock { state in
                let taken = state.waiting
                state.waiting = []
                return (taken, state.isOver)
            }
            if isOver { return }
            for step in steps {
                if state.withLock({ $0.isOver }) { return }
                step.run(on: exchange)
                finish(step)
            }
        }
    }

    private func finish(_ step: HandshakeStep) {
        let isFirst = state.withLock { state in
            state.finished.append(step)
            return state.finished.count == 1
        }
        if isFirst { wake.signal() }
    }

    /// What the thread starts with. Sendable by hand: from then on only the thread uses the exchange.
    private final class Start: @unchecked Sendable {
        private let thread: HandshakeThread
        private let exchange: RecordExchange

        init(thread: HandshakeThread, exchange: RecordExchange) {
            self.thread = thread
            self.exchange = exchange
        }

        func run() { thread.run(exchange) }
    }

    /// The lowest priority: beside a busy worker the thread gets a seventieth of a core.
    private static let niceness: Int32 = 19
}

/// Why the handshake thread could not be started.
public enum HandshakeThreadFault: Error, CustomStringConvertible {
    case tls(TLSFault)
    case noThread(errno: Int32)

    public var description: String {
        switch self {
        case .tls(let fault): "\(fault)"
        case .noThread(let code): "no thread: \(describe(code))"
        }
    }
}

/// A POSIX semaphore, shared by the threads of this process.
///
/// Sendable by hand: semaphores are made for that.
@safe
private final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        // Safe, in all of this type: the block is owned by this object, and initialised from here to deinit.
        unsafe semaphore = .allocate(capacity: 1)
        let status = unsafe sem_init(semaphore, 0, 0)
        precondition(status == 0, "zero is a value that a semaphore can have")
    }

    func post() { unsafe _ = sem_post(semaphore) }

    func wait() {
        // It fails only when a signal interrupts it.
        while unsafe sem_wait(semaphore) != 0 {}
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }
}
