public import ArgumentParser
import Commands
import Control
import EventLoop
import Glibc
import Load
import Settings
import System
import TLS

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Generate load on a target, with a SPIFFE identity or in plaintext, and measure it.",
        discussion: """
            bulk transfers bytes at full speed; echo sends messages and verifies every echoed byte; connect opens and \
            closes connections. With --rate (open loop) requests are due at fixed times, whatever the target does, and \
            latency counts from the due time: a request queues while its connection's previous one is in flight. \
            Without --rate (closed loop) a connection's next request starts when its previous one completes.
            Exit codes: 0 success, 1 errors or no successful request, 2 bad input. SIGINT and SIGTERM end the run \
            early, with a result.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable { case bulk, echo, connect }

    @Argument(help: "bulk, echo or connect.")
    var kind: Kind

    @Argument(help: ArgumentHelp("host:port, 127.0.0.1:port or [::1]:port.", valueName: "target"))
    var target: String

    @OptionGroup var identity: LoadIdentityOptions

    @Option(help: ArgumentHelp("The length of the measurement.", valueName: "time"))
    var duration = DurationArgument(seconds: 10)

    @Option(help: ArgumentHelp("The length of the warm-up before it.", valueName: "time"))
    var warmup = DurationArgument(seconds: 1)

    @Option(
        help: ArgumentHelp(
            "The limit for connect and handshake, and for a request without progress.", valueName: "time"))
    var timeout = DurationArgument(seconds: 5)

    @Option(help: ArgumentHelp("Concurrent connections; for connect, concurrent attempts.", valueName: "number"))
    var connections = 1

    @Option(help: ArgumentHelp("Requests per second (open loop).", valueName: "number"))
    var rate: UInt64?

    @Option(
        help: ArgumentHelp(
            "The size of an echo message (1KiB); for connect, the bytes echoed before the close (0).", valueName: "size"
        )
    )
    var messageBytes: SizeArgument?

    @Option(help: "bulk: up (the target discards), down (it sends without a request) or both (it echoes).")
    var direction: LoadPlan.Direction?

    @Option(help: ArgumentHelp("Sent once on each connection, not counted: text, or 0x and hex.", valueName: "bytes"))
    var prelude: BytesArgument?

    @Flag(help: "Only hold the connections open, for --duration.")
    var idle = false

    @Option(help: "The event loop: auto, io_uring or epoll.")
    var eventLoop = EventLoopChoice.auto

    @Flag(help: "Print to standard error when the measurement begins (measuring) and ends (measured).")
    var marks = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    func validate() throws {
        guard (1...LoadPlan.connectionsLimit).contains(connections) else {
            throw ValidationError("--connections must be 1 to \(LoadPlan.connectionsLimit)")
        }
        if let rate {
            guard (1...LoadPlan.rateLimit).contains(rate) else {
                throw ValidationError("--rate must be 1 to \(LoadPlan.rateLimit)")
            }
            guard kind != .bulk, !idle else { throw ValidationError("--rate is for echo and connect") }
        }
        guard direction == nil || kind == .bulk else { throw ValidationError("--direction is for bulk") }
        guard duration.nanoseconds > 0, timeout.nanoseconds > 0 else {
            throw ValidationError("--duration and --timeout must not be 0")
        }
        if let messageBytes {
            guard kind != .bulk else { throw ValidationError("--message-bytes is for echo and connect") }
            let smallest = kind == .echo ? 1 : 0
            guard (smallest...LoadPlan.messageBytesLimit).contains(messageBytes.bytes) else {
                throw ValidationError("--message-bytes must be \(smallest) to 1GiB")
            }
        }
        if let prelude, prelude.bytes.count > LoadPlan.preludeBytesLimit {
            throw ValidationError("--prelude must be at most \(LoadPlan.preludeBytesLimit) bytes")
        }
    }

    func run() throws {
        // Polled, so that no signal handler interrupts the run.
        let signals = BlockedSignals([SIGINT, SIGTERM])
        let plan = try plan()
        let needed = connections + 64
        let allowed = DescriptorLimit.raise()
        guard allowed >= needed else {
            throw BadInput("--connections \(connections) needs \(needed) descriptors, and the limit is \(allowed)")
        }
        let result: LoadResult
        do {
            let opened = try OpenedLoop.open(eventLoop.request, LoopLimits())
            var generator = try Generator(plan, loop: opened.take(), clock: WallClock.seconds)
            let marks = marks
            result = try generator.run(interrupted: signals.arePending) { mark in
                switch mark {
                case .idle(let count):
                    Console.complain("idle: \(count) of \(plan.connections) connections are up")
                case .measuring: if marks { Console.complain("measuring") }
                case .measured: if marks { Console.complain("measured") }
                }
            }
        } catch let fault as EventLoopFault {
            Console.complain("error: \(fault)")
            throw ExitCode.failure
        } catch let fault as TLSFault {
            throw BadInput("\(fault)")
        }
        Console.write(json ? result.json : result.text)
        guard let failure = result.failure else { return }
        Console.complain("error: \(target): \(failure)")
        throw ExitCode.failure
    }

    private func plan() throws -> LoadPlan {
        let resolved: LoadTarget
        do throws(LoadTargetFlaw) {
            resolved = try LoadTarget(resolving: target)
        } catch {
            throw BadInput("\(target): \(error)")
        }
        let kind: LoadPlan.Kind =
            switch self.kind {
            case _ where idle: .idle
            case .bulk: .bulk(direction ?? .both)
            case .echo: .echo
            case .connect: .connect
            }
        var plan = LoadPlan(kind: kind, target: resolved)
        plan.security = try identity.security()
        plan.connections = connections
        plan.ratePerSecond = rate
        plan.messageBytes = messageBytes?.bytes ?? (kind == .connect ? 0 : 1_024)
        plan.prelude = prelude?.bytes ?? []
        plan.warmupNanoseconds = warmup.nanoseconds
        plan.durationNanoseconds = duration.nanoseconds
        plan.timeoutNanoseconds = timeout.nanoseconds
        return plan
    }
}

extension LoadPlan.Direction: ExpressibleByArgument {}

extension EventLoopChoice: ExpressibleByArgument {
    var request: EventLoopRequest {
        switch self {
        case .auto: .automatic
        case .ioURing: .ioURing
        case .epoll: .epoll
        }
    }
}

/// Blocks signals for the rest of the process, to be polled.
struct BlockedSignals {
    private let set: sigset_t

    init(_ numbers: [Int32]) {
        var set = sigset_t()
        // Safe, here and below: the calls read or fill local structures.
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    /// Takes a pending signal; true if there was one.
    func arePending() -> Bool {
        var set = set
        var none = timespec()
        return unsafe sigtimedwait(&set, nil, &none) > 0
    }
}
