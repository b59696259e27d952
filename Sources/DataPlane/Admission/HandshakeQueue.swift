import EventLoop

/// Schedules handshake steps, and limits how many inbound handshakes are in progress.
///
/// An inbound handshake holds one of ``limit`` turns from its first step to its end. Waiting steps are taken
/// round-robin by source, alternating between handshakes that wait for a turn and those that hold one. An eighth of the
/// turns is reserved for sources that hold none. If all turns are taken and a connection waits for one, a handshake
/// whose peer has been silent for ``patienceNanoseconds`` gives its turn up: among the longest silent, one of the
/// source with the most.
struct HandshakeQueue {
    /// How many handshakes may be in progress.
    var limit: Int
    /// How long a peer may be silent while another one waits for a turn.
    var patienceNanoseconds: UInt64
    private(set) var inProgress = 0
    private var turns = SourceCounts()
    /// First steps of sources that hold no turn.
    private var fresh = SourceRotation()
    /// Other first steps.
    private var beginning = SourceRotation()
    private var continuing = SourceRotation()
    private var tookBeginning = false
    private var silent: [Silence] = []
    private var silentHead = 0

    /// A handshake that waits for its peer's next flight; it may have advanced since.
    struct Silence: Equatable {
        let connection: OperationToken
        let source: Source
        /// Monotonic nanoseconds.
        let since: UInt64
    }

    /// The state of a silence.
    enum Standing: Equatable {
        /// The handshake has advanced, or is over.
        case over
        /// Bytes have arrived but are not processed yet: the handshake waits for us.
        case heard
        case silent
    }

    init(limit: Int, patienceNanoseconds: UInt64) {
        self.limit = limit
        self.patienceNanoseconds = patienceNanoseconds
    }

    /// Whether a step can be taken now.
    var hasStep: Bool { !continuing.isEmpty || mayBegin }
    /// Whether a connection waits for a turn and none is free for it.
    var isContended: Bool {
        (!fresh.isEmpty && inProgress >= limit) || (!beginning.isEmpty && inProgress >= limitForMore)
    }
    private var mayBegin: Bool {
        (!fresh.isEmpty && inProgress < limit) || (!beginning.isEmpty && inProgress < limitForMore)
    }
    /// The limit for sources that already hold a turn.
    private var limitForMore: Int { limit - limit / 8 }

    /// Queues a step; `begins` if it is the first of an inbound handshake.
    mutating func append(_ connection: OperationToken, of source: Source, begins: Bool) {
        if !begins {
            continuing.append(connection, of: source)
        } else if turns[source] == 0, !beginning.holds(source) {
            fresh.append(connection, of: source)
        } else {
            beginning.append(connection, of: source)
        }
    }

    /// Removes and returns the connection whose step is next; nil if none can be taken. The connection may be over.
    mutating func next() -> OperationToken? {
        tookBeginning = mayBegin && (continuing.isEmpty || !tookBeginning)
        if tookBeginning, let first = nextToBegin() { return first }
        return continuing.popFirst()?.connection
    }

    private mutating func nextToBegin() -> OperationToken? {
        if inProgress < limit, let next = fresh.popFirst() { return next.connection }
        return inProgress < limitForMore ? beginning.popFirst()?.connection : nil
    }

    /// A handshake takes a turn.
    mutating func began(_ source: Source) {
        inProgress += 1
        turns.add(source)
        // Its other connections wait behind sources that hold no turn.
        var rest = fresh.removeAll(of: source)
        while let token = rest?.popFirst() { beginning.append(token, of: source) }
    }

    /// A handshake with a turn has ended.
    mutating func ended(_ source: Source) {
        inProgress -= 1
        turns.remove(source)
    }

    /// A handshake with a turn waits for its peer's next flight. Only progress ends the silence: a peer that trickles
    /// bytes is as silent as one that sends none.
    ///
    /// - Parameter standing: the state of a remembered silence; at most as many are not over as there are turns.
    mutating func fellSilent(_ silence: Silence, standing: (Silence) -> Standing) {
        silent.append(silence)
        guard silent.count > 2 * max(limit, inProgress) + Self.sparePlaces else { return }
        silent = silent[silentHead...].filter { standing($0) != .over }
        silentHead = 0
    }

    /// The handshake that must give its turn up now; nil if none must.
    mutating func givesUp(now: UInt64, standing: (Silence) -> Standing) -> Silence? {
        guard isContended else { return nil }
        while silentHead < silent.count, standing(silent[silentHead]) == .over { silentHead += 1 }
        var chosen: Int?
        for index in silentHead..<min(silentHead + Self.compared, silent.count) {
            guard silent[index].since + patienceNanoseconds <= now else { break }
            guard standing(silent[index]) == .silent else { continue }
            guard let best = chosen else {
                chosen = index
                continue
            }
            if turns[silent[index].source] > turns[silent[best].source] { chosen = index }
        }
        guard let chosen else { return nil }
        silent.swapAt(chosen, silentHead)
        silentHead += 1
        return silent[silentHead - 1]
    }

    /// When a handshake may next have to give its turn up, if nothing happens until then; monotonic nanoseconds.
    var nextGivingUp: UInt64? {
        guard isContended, silentHead < silent.count else { return nil }
        return silent[silentHead].since + patienceNanoseconds
    }

    /// How many silences are remembered, over or not; the cost of pruning is amortised over as many.
    var rememberedSilences: Int { silent.count }
    static let sparePlaces = 1024

    /// How many of the longest silences are compared.
    private static let compared = 64
}
