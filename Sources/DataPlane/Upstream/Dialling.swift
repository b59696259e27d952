import Balancing
import System

/// What a connection has dialled, and which endpoint it counts at.
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
    }

    struct Attempt {
        let address: SocketAddress
        let nanoseconds: UInt64
        let outcome: Outcome
    }

    /// Dialled last.
    private(set) var address: SocketAddress?
    /// Of ``RouteEndpoints``; 0 before the first dial.
    var group: UInt32 = 0
    private(set) var endpoint: EndpointID = -1
    private(set) var standing = Standing.none
    private(set) var startedAt: UInt64 = 0
    /// Its connect was cancelled because it took too long.
    var isTimedOut = false
    /// Waits for a place at an endpoint.
    var isWaiting = false
    /// The endpoints that failed.
    private(set) var tried: [EndpointID] = []
    /// Those, and the last one after them; empty as long as nothing fails.
    private(set) var attempts: [Attempt] = []

    /// Another route's endpoints are to be dialled.
    mutating func startsAnew() {
        group = 0
        tried = []
        isWaiting = false
    }

    mutating func begin(_ id: EndpointID, _ address: SocketAddress, now: UInt64) {
        endpoint = id
        self.address = address
        startedAt = now
        standing = .open
        isTimedOut = false
        isWaiting = false
    }

    /// The connect succeeded; returns how long it took.
    mutating func connected(now: UInt64) -> UInt64 {
        let time = now - startedAt
        if !attempts.isEmpty { note(.connected, now: now) }
        return time
    }

    mutating func served() { standing = .served }

    /// The endpoint did not serve: it is not tried again.
    mutating func failed(_ outcome: Outcome, now: UInt64) {
        note(outcome, now: now)
        tried.append(endpoint)
        standing = .none
    }

    mutating func left() { standing = .none }

    /// Where the connect was made already, the handshake's failure takes its place.
    private mutating func note(_ outcome: Outcome, now: UInt64) {
        guard let address else { return }
        if attempts.last?.outcome == .connected { attempts.removeLast() }
        attempts.append(Attempt(address: address, nanoseconds: now - startedAt, outcome: outcome))
    }
}
