public import EventLoop
import Glibc
public import TLS

/// Generates load on a target: one thread, one event loop, a fixed number of clients.
///
/// Belongs to the thread that made it. ``step()`` runs one turn; ``run(interrupted:mark:)`` runs to the end.
public struct Generator: ~Copyable {
    enum Stage: Equatable {
        case starting
        /// Establishing the connections.
        case dialling
        case warming(until: UInt64)
        case measuring(until: UInt64)
        /// Requests in flight may complete; none is started.
        case draining(until: UInt64)
        case closing(until: UInt64)
        case over
    }

    /// Progress marks of a run.
    public enum Mark: Hashable, Sendable {
        case measuring, measured
        case idle(connections: Int)
    }

    let plan: LoadPlan
    var loop: EventLoop
    let context: TLSContext?
    let exchange: RecordExchange?
    let clients: ClientSlab
    let buffers: SendBuffers
    let pattern = Pattern()
    var timers: TimerWheel
    var tally = Tally()
    var stage = Stage.starting
    var schedule: Schedule?
    /// In `connect`: free slots, and the number of requests started.
    var free: [Int32] = []
    var begunConnects: UInt64 = 0
    /// Connections in progress, and the first undialled slot.
    var dialling = 0
    var nextToDial: Int32 = 0
    var tried = 0
    var serving = 0
    /// Open sockets.
    var live = 0
    /// Requests in flight.
    var busy = 0
    var mostServing = 0
    var unsent: UInt64 = 0
    var unanswered: UInt64 = 0
    var window = Window()
    var marks: [Mark] = []

    /// The measurement window.
    struct Window {
        var start: UInt64 = 0
        var end: UInt64 = 0
        var processorStart = ProcessorTime.now()
        var processorEnd = ProcessorTime.now()
        var requests: UInt64 = 0
        var bytesUp: UInt64 = 0
        var bytesDown: UInt64 = 0
    }

    /// - Parameter clock: the wall clock in Unix seconds, for certificates.
    public init(
        _ plan: LoadPlan, loop: consuming EventLoop, clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        precondition((1...LoadPlan.connectionsLimit).contains(plan.connections), "connections out of bounds")
        precondition((0...LoadPlan.messageBytesLimit).contains(plan.messageBytes), "a message out of bounds")
        precondition(plan.prelude.count <= LoadPlan.preludeBytesLimit, "a prelude out of bounds")
        let context = try Self.context(plan.security, clock)
        let exchange = context == nil ? nil : try RecordExchange()
        self.context = context
        self.exchange = exchange
        self.plan = plan
        self.loop = loop
        clients = ClientSlab(count: plan.connections)
        buffers = SendBuffers(clients: plan.connections)
        timers = TimerWheel(capacity: plan.connections)
        free.reserveCapacity(plan.connections)
        if plan.kind == .connect {
            for slot in (0..<Int32(plan.connections)).reversed() { free.append(slot) }
        }
    }

    public var isOver: Bool { stage == .over }

    /// Runs to the end and returns the measurements.
    ///
    /// - Parameters:
    /// - interrupted: polled about fifty times a second; true ends the run early and keeps the measurements so far.
    /// - mark: called when the connections are established, and when the window begins and ends.
    public mutating func run(
        interrupted: () -> Bool = { false }, mark: (Mark) -> Void = { _ in }
    ) throws(EventLoopFault) -> LoadResult {
        var nextQuestion = loop.now
        while !isOver {
            try step()
            while !marks.isEmpty { mark(marks.removeFirst()) }
            guard loop.now >= nextQuestion else { continue }
            nextQuestion = loop.now + Self.longestWaitNanoseconds
            if interrupted() { endEarly() }
        }
        return result()
    }

    /// One turn of the loop.
    public mutating func step() throws(EventLoopFault) {
        let count = try loop.tick(timeoutNanoseconds: nextWait())
        for index in 0..<count { handle(loop.completion(index)) }
        while let slot = timers.popExpired(now: loop.now) { timerFired(slot) }
        advanceStage()
        dialNext()
        startDue()
    }

    // MARK: Private

    private static func context(
        _ security: LoadPlan.Security?, _ clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) -> TLSContext? {
        guard let security else { return nil }
        return try TLSContext(
            dialling: security.material,
            options: TLSOptions(minVersion: security.minVersion, resumption: security.resumes),
            applicationProtocols: security.applicationProtocols, serverName: security.serverName,
            acceptPeer: security.acceptPeer, clock: clock)
    }

    private func nextWait() -> UInt64 {
        let now = loop.now
        var wait = timers.nanosecondsUntilNext(now: now, limit: Self.longestWaitNanoseconds)
        switch stage {
        case .starting: wait = 0
        case .dialling, .over: break
        case .warming(let until), .measuring(let until):
            wait = min(wait, until > now ? until - now : 0)
            if let schedule { wait = min(wait, schedule.wait(now: now)) }
        case .draining(let until), .closing(let until): wait = min(wait, until > now ? until - now : 1_000_000)
        }
        return wait
    }

    private mutating func handle(_ completion: Completion) {
        guard let operation = Operation(rawValue: completion.token.operation) else { return }
        guard let slot = clients.slot(of: completion.token) else {
            preconditionFailure("a client was closed with an operation in flight")
        }
        switch operation {
        case .connect: connectCompleted(slot, completion)
        case .receive: receiveCompleted(slot, completion)
        case .send: sendCompleted(slot, completion)
        }
        pump(slot)
    }

    private static let longestWaitNanoseconds: UInt64 = 20_000_000
}
