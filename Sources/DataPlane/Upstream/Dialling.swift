import Balancing
import System

/// What a connection has dialled, and which endpoint it counts at. Pure; times are monotonic nanoseconds.
///
/// Two connects may run at once: of a name with addresses of both families the second begins beside one that is slow,
/// and the first that is complete serves (RFC 8305, section 5).
struct Dialling {
    /// How far the endpoint has proved itself.
    enum Standing {
        /// The connection counts at no endpoint.
        case none
        /// It is being connected, or shakes hands.
        case open
        /// It serves.
        case served
    }

    /// What became of a dial.
    enum Outcome: Equatable {
        case connected, timedOut
        case failed(errno: Int32)
        /// The connection was made, and then its handshake failed.
        case handshakeFailed
        /// The other family's connect was complete before it.
        case overtaken
    }

    struct Attempt {
        let address: SocketAddress
        let startedAt: UInt64
        let nanoseconds: UInt64
        let outcome: Outcome
        /// Why the handshake failed, and whom a refused certificate claims to be.
        var code: String?
        var claimedID: String?
    }

    /// One connect.
    struct Dial {
        /// Of ``RouteEndpoints``; 0 where it leads to no endpoint.
        var group: UInt32 = 0
        var endpoint: EndpointID = -1
        var address: SocketAddress?
        var startedAt: UInt64 = 0
        /// It was cancelled because it took too long.
        var isTimedOut = false
        /// Of two connects that have not ended each has another name: this one has the rival's.
        var usesRivalName = false
    }

    /// A connect beside that of the upstream leg, with a socket of its own.
    struct Rival {
        var dial: Dial
        var descriptor: Int32
        var flow: Flow?
        /// The other one was complete first: this one is cancelled.
        var isOvertaken = false
    }

    /// Whether the other family of the name may be dialled, beside the current connect or after it.
    enum Rivalry {
        case no
        /// Both families are one endpoint to whoever names it: the first rival is no retry.
        case free
        /// One of the two has failed: another one is a retry.
        case asRetry
    }

    /// That of the upstream leg.
    private(set) var current = Dial()
    var rival: Rival?
    private(set) var rivalry = Rivalry.no
    /// Of ``RouteEndpoints``, where the next dial goes; 0 before the first one.
    var group: UInt32 = 0
    private(set) var standing = Standing.none
    /// Waits for a place at an endpoint.
    var isWaiting = false
    /// Dials that were the first one, or retries.
    private(set) var rounds = 0
    /// The endpoints that failed.
    private(set) var tried: [EndpointID] = []
    /// Those, the last one after them, and those that were overtaken, as they began; empty as long as nothing fails.
    private(set) var attempts: [Attempt] = []

    var address: SocketAddress? { current.address }

    /// Another route's endpoints are to be dialled.
    mutating func startsAnew() {
        group = 0
        rounds = 0
        rivalry = .no
        tried = []
        isWaiting = false
    }

    /// The upstream leg's connect begins.
    ///
    /// - Parameter afterRival: it is the other family's, after the first one failed at once.
    mutating func begin(
        _ id: EndpointID, _ address: SocketAddress, hasOtherFamily: Bool = false, afterRival: Bool = false, now: UInt64
    ) {
        if afterRival {
            rivalry = .asRetry
        } else {
            rounds += 1
            rivalry = hasOtherFamily ? .free : .no
        }
        standing = .open
        isWaiting = false
        // One that was overtaken may not have ended yet, and keeps its name.
        current = Dial(
            group: group, endpoint: id, address: address, startedAt: now,
            usesRivalName: rival.map { !$0.dial.usesRivalName } ?? false)
    }

    /// The same, to an address that is no endpoint.
    mutating func begin(_ address: SocketAddress, now: UInt64) {
        current = Dial(address: address, startedAt: now)
    }

    /// The rival's connect begins.
    mutating func beginRival(_ id: EndpointID, _ address: SocketAddress, _ descriptor: Int32, now: UInt64) {
        if rivalry == .asRetry { rounds += 1 }
        rivalry = .no
        let dial = Dial(
            group: group, endpoint: id, address: address, startedAt: now, usesRivalName: !current.usesRivalName)
        rival = Rival(dial: dial, descriptor: descriptor)
    }

    /// No rival follows the current connect.
    mutating func staysAlone() { rivalry = .no }

    /// Whether the rival's connect is to begin now.
    func wantsRival(now: UInt64) -> Bool {
        rivalry != .no && !current.isTimedOut && now >= current.startedAt + Self.attemptDelayNanoseconds
    }

    /// When the next connect is due, or one that is under way takes too long.
    func deadline(now: UInt64, timeoutNanoseconds: UInt64) -> UInt64 {
        if isWaiting { return now + timeoutNanoseconds }
        // One that was cancelled ends by itself.
        var deadline = now + timeoutNanoseconds
        if !current.isTimedOut {
            let delay = rivalry == .no ? timeoutNanoseconds : min(timeoutNanoseconds, Self.attemptDelayNanoseconds)
            deadline = min(deadline, current.startedAt + delay)
        }
        if let rival, !rival.dial.isTimedOut { deadline = min(deadline, rival.dial.startedAt + timeoutNanoseconds) }
        return deadline
    }

    mutating func timedOut() { current.isTimedOut = true }

    /// The two change their parts: the rival's connect is that of the upstream leg from now on.
    ///
    /// - Parameters: the leg's socket and flow; the rival's are returned.
    mutating func swapWithRival(_ descriptor: Int32, _ flow: Flow?) -> (descriptor: Int32, flow: Flow?) {
        guard let other = rival else { preconditionFailure("no rival") }
        rival = Rival(dial: current, descriptor: descriptor, flow: flow)
        current = other.dial
        return (other.descriptor, other.flow)
    }

    /// The connect succeeded; returns how long it took. Its rival is overtaken.
    mutating func connected(now: UInt64) -> UInt64 {
        rivalry = .no
        rival?.isOvertaken = true
        if rival != nil || !attempts.isEmpty { note(current, .connected, now: now) }
        return now - current.startedAt
    }

    mutating func served() { standing = .served }

    /// The endpoint did not serve: it is not tried again.
    mutating func failed(_ outcome: Outcome, code: String? = nil, claimedID: String? = nil, now: UInt64) {
        note(current, outcome, code, claimedID, now: now)
        tried.append(current.endpoint)
        standing = .none
    }

    /// The upstream leg's connect failed, and its rival goes on in its place.
    mutating func promoteRival() -> Rival? {
        guard let rival, !rival.isOvertaken else { return nil }
        self.rival = nil
        current = rival.dial
        standing = .open
        rivalry = .asRetry
        return rival
    }

    /// The rival has ended.
    ///
    /// - Parameter outcome: nil if it was given up together with the connection.
    mutating func rivalEnded(_ outcome: Outcome?, now: UInt64) {
        guard let ended = rival.take(), let outcome else { return }
        note(ended.dial, outcome, now: now)
        if outcome != .overtaken { tried.append(ended.dial.endpoint) }
    }

    mutating func left() { standing = .none }

    // MARK: Private

    /// Where the connect was made already, the handshake's failure takes its place.
    private mutating func note(
        _ dial: Dial, _ outcome: Outcome, _ code: String? = nil, _ claimedID: String? = nil, now: UInt64
    ) {
        guard let address = dial.address else { return }
        if outcome == .handshakeFailed { attempts.removeAll { $0.outcome == .connected } }
        let place = attempts.firstIndex { $0.startedAt > dial.startedAt } ?? attempts.endIndex
        attempts.insert(
            Attempt(
                address: address, startedAt: dial.startedAt, nanoseconds: now - dial.startedAt, outcome: outcome,
                code: code, claimedID: claimedID),
            at: place)
    }

    /// The Connection Attempt Delay (RFC 8305, section 5).
    private static let attemptDelayNanoseconds: UInt64 = 250_000_000
}
