import CLibEvent
import Glibc
import System

/// The control thread's event loop: signals, wake-ups from workers, and the admin server's sockets.
///
/// Create it before any other thread starts and use it on the same thread: it blocks the signals that it reads, and
/// threads inherit the signal mask.
public final class ControlLoop {
    /// The signals reported as events. SIGPIPE is always ignored.
    public enum Signals { case all, none }

    package let base: EventBase
    /// Owned here; a watch reads it.
    private let signals: OwnedDescriptor?
    private var watches: [EventWatch] = []
    private var servers: [AdminServer] = []
    private var pending: [ControlEvent] = []

    public init(signals: Signals = .all) throws(ControlFault) {
        // A peer or log reader that disconnects must make write(2) fail, not end the process.
        _ = signal(SIGPIPE, SIG_IGN)
        routeLibeventLog()
        base = try EventBase()
        guard signals == .all else {
            self.signals = nil
            return
        }
        let descriptor = try Self.signalDescriptor()
        let number = descriptor.number
        self.signals = consume descriptor
        try watch(descriptor: number) { $0.readSignals(number) }
    }

    /// Reports `signalled` each time the eventfd becomes readable. The descriptor must outlive the loop.
    public func watch(eventDescriptor descriptor: Int32) throws(ControlFault) {
        try watch(descriptor: descriptor) { loop in
            EventCounter.clear(descriptor)
            loop.pending.append(.signalled(descriptor: descriptor))
        }
    }

    /// Reports `filesChanged` on an event of the watch. The watch must outlive the loop's use.
    package func watch(files descriptor: Int32) throws(ControlFault) {
        try watch(descriptor: descriptor) { loop in
            // The receiver of the report reads the events; until then the descriptor stays readable.
            guard !loop.pending.contains(.filesChanged(descriptor: descriptor)) else { return }
            loop.pending.append(.filesChanged(descriptor: descriptor))
        }
    }

    /// Queues an event; for callbacks of the loop.
    func post(_ event: ControlEvent) { if !pending.contains(event) { pending.append(event) } }

    /// Runs the loop until there is an event; nil on timeout (nil waits forever).
    public func next(timeoutMilliseconds: Int? = nil) -> ControlEvent? {
        var isTimed = timeoutMilliseconds.map { base.armTimer(milliseconds: $0) } != nil
        defer { if isTimed { base.disarmTimer() } }
        while pending.isEmpty {
            base.runOnce()
            guard isTimed, base.timerFired else { continue }
            isTimed = false
            if pending.isEmpty { return nil }
        }
        return pending.removeFirst()
    }

    /// Retains a server for the loop's lifetime, because the loop may run its callbacks until then.
    func keep(_ server: AdminServer) { servers.append(server) }

    private func watch(descriptor: Int32, run: @escaping (ControlLoop) -> Void) throws(ControlFault) {
        watches.append(try EventWatch(base, descriptor: descriptor) { [unowned self] in run(self) })
    }

    private func readSignals(_ descriptor: Int32) {
        while let number = Self.readSignal(descriptor) {
            switch number {
            case SIGHUP, SIGUSR1: pending.append(.hangup)
            case SIGCHLD: pending.append(.childChanged)
            default: pending.append(.terminate)
            }
        }
    }

    private static func signalDescriptor() throws(ControlFault) -> OwnedDescriptor {
        var set = sigset_t()
        // All three fill or read `set`, which outlives them.
        unsafe sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD] { unsafe sigaddset(&set, number) }
        let status = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        guard status == 0 else { throw .system(what: "cannot block signals", errno: status) }
        let number = unsafe signalfd(-1, &set, postern_signalfd_flags)
        guard number >= 0 else { throw .system(what: "cannot make a signalfd", errno: errno) }
        return OwnedDescriptor(number)
    }

    private static func readSignal(_ descriptor: Int32) -> Int32? {
        var info = signalfd_siginfo()
        // The kernel writes whole entries only: `info`'s size, or nothing.
        let count = unsafe read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size)
        return count == MemoryLayout<signalfd_siginfo>.size ? Int32(info.ssi_signo) : nil
    }
}
