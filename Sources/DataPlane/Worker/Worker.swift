public import EventLoop
import Policy
import Settings
public import TLS
public import Telemetry

/// One worker: an event loop, its connections, and all that they need, shared with no other thread.
///
/// It belongs to the thread that made it. ``step(limitNanoseconds:)`` is one turn: wait, handle completions, fire
/// timers. ``WorkerThread`` runs it on a thread of its own; tests step it by hand in a simulated network.
public struct Worker: ~Copyable {
    enum Stage: Equatable {
        case serving
        case draining(Drain)
    }

    var limits: WorkerLimits
    var loop: EventLoop
    let memory: MemoryBudget
    var pool: BufferPool
    var timers: TimerWheel
    var connections: ConnectionSlab
    let exchange: RecordExchange
    /// Runs handshake steps; without it, the worker runs them itself. It is set before the first step, and must be
    /// stopped before the worker is destroyed.
    public var handshakeThread: HandshakeThread?
    /// Steps submitted to the thread.
    var stepsUnderway = 0
    /// The thread has more finished steps than the last tick took.
    var hasFinishedSteps = false
    /// When the worker next runs a step itself although it has the thread.
    var ownTurnAt: UInt64 = 0
    var listeners: [ListenerState] = []
    /// The last number that was given to a route's endpoints.
    var routeNumbers: UInt32 = 0
    /// Changes of endpoints' service, until they are reported.
    var endpointReports: [EndpointReport] = []
    /// Connections wait for an endpoint that may have room now.
    var hasRoomAtEndpoints = false
    /// When the pools of spare connections must be looked at.
    var nextSpareLookAt: UInt64 = 0
    /// Shared with the thread that reports it.
    public var dialCounts = DialCounts()
    /// Of this worker, so that not all choose alike; with the number of the dial it decides between endpoints.
    let dialSeed: UInt64
    var dials: UInt64 = 0
    /// Connects that run beside that of their connection's upstream leg.
    var rivals = 0
    var acceptors: [Acceptor] = []
    /// Counts the changes that require a recheck of connections.
    var round: UInt64 = 0
    /// The next slot to recheck.
    var sweepSlot: Int32?
    /// Paths that were built to look at connections again; a sweep counts them.
    var builtPaths = 0
    /// The wall clock in Unix seconds.
    let clock: @Sendable () -> Int64
    /// The offset between wall clock and loop clock, in seconds.
    var clockDifference: Int64
    var handshakes: HandshakeQueue
    /// Inbound connections whose peer has not been admitted.
    var strangers = SourceCounts()
    /// All inbound connections.
    var clients = SourceCounts()
    var inboundConnections = 0
    /// In a drain, when silent strangers are checked next.
    var nextStrangerCheckAt: UInt64 = 0
    /// Where the next search for a connection to replace begins.
    var roomSlot: Int32 = 0
    /// Bytes of all flights that are held.
    var heldFlightBytes = 0
    /// Memory is scarce: no second buffer may queue behind the one in flight.
    var isScarce = false
    var stage = Stage.serving
    /// When paused listeners are tried again even if nothing was released.
    var resumeAcceptAt: UInt64?
    /// Why accepting paused, until it is reported.
    var acceptTrouble: Int32?
    /// Suppresses repeated reports of a pause until then.
    var nextAcceptTroubleAt: UInt64 = 0
    var nextTrimAt: UInt64
    /// Completions with a stale generation: always 0, by the order of cancel and close.
    var staleCompletions = 0
    var accepted: UInt64 = 0
    /// Where the numbers of this worker's connections begin, so that those of no other worker or proxy are the same.
    private let firstConnectionID = UInt64.random(in: .min ... .max)
    var cutConnections = 0
    /// The mark of dialled sockets; 0 for none.
    var mark: UInt32 = 0
    /// What this process dials and listens on, shared by its workers.
    var ownSockets: OwnSockets
    /// Shared by the workers.
    var plaintextCounts: PlaintextCounts
    /// Whether a listener is transparent, so that a rule may bring our own connections back to us.
    var watchesFlows = false
    /// Connects of transparent listeners' connections whose local addresses are not noted yet.
    var dialsUnderWay: [OperationToken] = []
    /// Connections ever relayed without TLS, and refused because they came from, or led to, this proxy itself.
    public internal(set) var passedConnections: UInt64 = 0
    public internal(set) var loops: UInt64 = 0
    /// The most connections open at once since memory was last returned to the system.
    var mostConnections = 0
    let emit: (AccessRecord) -> Void
    /// What the built-in source sends; empty as long as no route uses it.
    var sourceBytes: [UInt8] = []
    private var woken = false

    /// A worker that serves with `update` from the next step on.
    ///
    /// - Parameters:
    ///   - clock: the wall clock in Unix seconds, for certificates; it is also read on the handshake thread.
    ///   - dialSeed: decides between endpoints.
    ///   - emit: receives each access record on the worker's thread; it must not block.
    public init(
        _ update: WorkerUpdate, loop: consuming EventLoop, clock: @escaping @Sendable () -> Int64,
        dialSeed: UInt64 = 0, emit: @escaping (AccessRecord) -> Void
    ) throws(TLSFault) {
        exchange = try RecordExchange()
        limits = update.limits
        ownSockets = update.ownSockets
        plaintextCounts = update.plaintextCounts
        handshakes = HandshakeQueue(
            limit: update.limits.concurrentHandshakes, patienceNanoseconds: update.limits.turnPatienceNanoseconds)
        self.emit = emit
        self.dialSeed = dialSeed
        self.clock = clock
        let now = loop.now
        clockDifference = clock() - Int64(now / 1_000_000_000)
        // What is sized by these limits is fixed from here on; a later update changes the others.
        let memory = MemoryBudget(
            bytes: update.limits.memoryBytes, connections: update.limits.connections,
            receives: loop.receiveBuffers, receiveBytes: loop.receiveBufferBytes)
        self.memory = memory
        pool = BufferPool(bytes: memory.bufferBytes, warmBytes: memory.sharedBytes / 2)
        self.loop = loop
        timers = TimerWheel(capacity: memory.slots)
        connections = ConnectionSlab(capacity: memory.slots)
        nextTrimAt = now
        install(update)
    }

    /// Connections that are not over.
    public var activeConnections: Int { connections.count }
    /// Open connections of each listener.
    var activeByListener: [(listener: String, count: Int)] {
        listeners.map { (listener: $0.plan.name, count: Int($0.connections)) }
    }

    /// The connections that each listener has accepted since the last call.
    mutating func takeOpened() -> [(listener: String, count: UInt64)] {
        var opened: [(listener: String, count: UInt64)] = []
        for index in listeners.indices where listeners[index].opened > 0 {
            opened.append((listener: listeners[index].plan.name, count: listeners[index].opened))
            listeners[index].opened = 0
        }
        return opened
    }

    /// Connections ever accepted.
    public var acceptedConnections: UInt64 { accepted }
    /// Output buffers that are lent.
    public var lentBuffers: Int { pool.lent }
    /// Connections that a drain aborted.
    public var cutConnectionCount: Int { cutConnections }
    public var staleCompletionCount: Int { staleCompletions }

    /// One turn of the loop; waits at most `limitNanoseconds`.
    ///
    /// Established connections are served first, then handshakes.
    public mutating func step(limitNanoseconds: UInt64 = 60_000_000_000) throws(EventLoopFault) {
        loop.limitReceives(toBytes: memory.receiveBytes(buffered: bufferedBytes))
        isScarce = memory.isScarce(buffered: bufferedBytes)
        let count = try loop.tick(timeoutNanoseconds: nextWait(limit: limitNanoseconds))
        for index in 0..<count { handle(loop.completion(index)) }
        while let slot = timers.popExpired(now: loop.now) { timerFired(slot) }
        if isSweeping { sweep() }
        if hasRoomAtEndpoints { dialForWaiting() }
        if loop.now >= nextSpareLookAt { tendSpares() }
        advanceHandshakes()
        housekeep()
    }

    /// True once after another thread woke the loop: its mailbox has something.
    public mutating func takeWake() -> Bool {
        defer { woken = false }
        return woken
    }

    /// The errno for which accepting paused, reported once in a while as long as the pause lasts.
    public mutating func takeAcceptTrouble() -> Int32? {
        defer { acceptTrouble = nil }
        return acceptTrouble
    }

    /// The changes of endpoints' service since the last call.
    public mutating func takeEndpointReports() -> [EndpointReport] {
        guard !endpointReports.isEmpty else { return [] }
        defer { endpointReports = [] }
        return endpointReports
    }

    /// Of the connection that was accepted last.
    var connectionID: UInt64 { firstConnectionID &+ accepted }

    // MARK: Private

    var bufferedBytes: Int { pool.countedBytes + heldFlightBytes }

    private func nextWait(limit: UInt64) -> UInt64 {
        if hasHandshakeWork || isSweeping || hasRoomAtEndpoints { return 0 }
        let now = loop.now
        var wait = timers.nanosecondsUntilNext(now: now, limit: limit)
        if pool.isTrimmable || isShrunk { wait = min(wait, nextTrimAt > now ? nextTrimAt - now : 0) }
        if nextSpareLookAt < .max { wait = min(wait, nextSpareLookAt > now ? nextSpareLookAt - now : 0) }
        if let at = handshakes.nextGivingUp { wait = min(wait, at > now ? at - now : 0) }
        if let resumeAcceptAt { wait = min(wait, resumeAcceptAt > now ? resumeAcceptAt - now : 0) }
        if let drain = nanosecondsUntilDrainContinues { wait = min(wait, drain) }
        return wait
    }

    private mutating func handle(_ completion: Completion) {
        guard let operation = Operation(rawValue: completion.token.operation) else {
            woken = true
            return
        }
        if operation == .accept { return acceptCompleted(Int(completion.token.slot), completion) }
        guard let slot = connections.slot(of: completion.token) else {
            staleCompletions += 1
            if completion.buffer >= 0 { loop.giveBack(completion.buffer) }
            return
        }
        let course =
            switch operation {
            case .accept: connections[slot].machine.course
            case .receivePeer: receiveCompleted(slot, .peer, completion)
            case .receiveApplication: receiveCompleted(slot, .application, completion)
            case .sendPeer: sendCompleted(slot, .peer, completion)
            case .sendApplication: sendCompleted(slot, .application, completion)
            case .connectPeer, .connectApplication, .connectRival: connectCompleted(slot, operation, completion)
            }
        advance(slot, after: course)
    }

    private mutating func housekeep() {
        let now = loop.now
        if let at = resumeAcceptAt, now >= at { resumeAccepting() }
        continueDrain()
        guard now >= nextTrimAt else { return }
        nextTrimAt = now + Self.trimIntervalNanoseconds
        pool.trim()
        if isShrunk {
            // Freed sessions leave holes; by itself the allocator returns only pages at the top of its heap.
            HeapMemory.giveBack()
            mostConnections = connections.count
        }
        mostConnections = max(mostConnections, connections.count)
        watchClock()
    }

    /// Whether many connections have closed since memory was last returned to the system.
    private var isShrunk: Bool { mostConnections - connections.count >= Self.shrinkConnections }

    static let sourceStretchBytes = 64 * 1024
    private static let shrinkConnections = 128
    private static let trimIntervalNanoseconds: UInt64 = 5_000_000_000
}
