import EventLoop

/// Whose step of a handshake is taken next, and who may be in a handshake at all.
///
/// An inbound handshake holds one of a limited number of turns from its first step to its end. Who waits for a step
/// takes it in rotation by source; those who wait for a turn and those who have one are served alternately. Where all
/// turns are taken and somebody waits for one, a handshake whose peer has owed its next bytes for
/// ``patienceNanoseconds`` gives its turn up; an eighth of the turns is for sources that have none. Of those that have
/// been silent longest, one of the source that has the most.
struct HandshakeQueue {
    /// How many may be in progress.
    var limit: Int
    /// How long a peer may be silent while another one waits for its turn.
    var patienceNanoseconds: UInt64
    private(set) var inProgress = 0
    private var turns = SourceCounts()
    /// First steps of sources that have no turn.
    private var fresh = SourceRotation()
    /// Other first steps.
    private var beginning = SourceRotation()
    private var continuing = SourceRotation()
    private var tookBeginning = false
    private var silent: [Silence] = []
    private var silentHead = 0

    /// A handshake that waits for its peer's next flight; it may have gone on since.
    struct Silence: Equatable {
        let connection: OperationToken
        let source: Source
        /// Monotonic nanoseconds.
        let since: UInt64
    }

    /// What has become of a silence.
    enum Standing: Equatable {
        /// The handshake has gone on, or is over.
        case over
        /// Something came, which has not been looked at: it waits for us.
        case heard
        case silent
    }

    init(limit: Int, patienceNanoseconds: UInt64) {
        self.limit = limit
        self.patienceNanoseconds = patienceNanoseconds
    }

    /// A step can be taken now.
    var hasStep: Bool { !continuing.isEmpty || mayBegin }
    /// Somebody waits for a turn, and there is none for him.
    var isContended: Bool {
        (!fresh.isEmpty && inProgress >= limit) || (!beginning.isEmpty && inProgress >= limitForMore)
    }
    private var mayBegin: Bool {
        (!fresh.isEmpty && inProgress < limit) || (!beginning.isEmpty && inProgress < limitForMore)
    }
    /// For sources that have a turn already.
    private var limitForMore: Int { limit - limit / 8 }

    /// A step waits; `begins` where it is the first of an inbound handshake.
    mutating func append(_ connection: OperationToken, of source: Source, begins: Bool) {
        if !begins {
            continuing.append(connection, of: source)
        } else if turns[source] == 0, !beginning.holds(source) {
            fresh.append(connection, of: source)
        } else {
            beginning.append(connection, of: source)
        }
    }

    /// Whose step is next; nil where none can be taken. The connection may be over.
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
        // What else it has waits behind those who have none.
        var rest = fresh.removeAll(of: source)
        while let token = rest?.popFirst() { beginning.append(token, of: source) }
    }

    /// It has ended.
    mutating func ended(_ source: Source) {
        inProgress -= 1
        turns.remove(source)
    }

    /// A handshake with a turn waits for its peer's next flight. What brings that flight no further is no end of it:
    /// who drips bytes is as silent as who sends none.
    ///
    /// - Parameter standing: of each that is remembered; no more of them are not over than have turns.
    mutating func fellSilent(_ silence: Silence, standing: (Silence) -> Standing) {
        silent.append(silence)
        guard silent.count > 2 * max(limit, inProgress) + Self.sparePlaces else { return }
        silent = silent[silentHead...].filter { standing($0) != .over }
        silentHead = 0
    }

    /// Who gives its turn up now; nil where nobody must.
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

    /// When somebody may have to give its turn up, if nothing happens until then; monotonic nanoseconds.
    var nextGivingUp: UInt64? {
        guard isContended, silentHead < silent.count else { return nil }
        return silent[silentHead].since + patienceNanoseconds
    }

    /// How many silences are remembered, over or not; the work of forgetting is shared by so many.
    var rememberedSilences: Int { silent.count }
    static let sparePlaces = 1024

    /// So many of the longest silences are compared.
    private static let compared = 64
}
