import Identity
import Policy
import System
import TLS

/// A worker's state for one connection. It lives in a slab's slot; only its worker's thread uses it.
struct Connection: ~Copyable {
    var machine: ConnectionMachine
    /// Present from its first handshake step on.
    var session: TLSSession?
    /// Bytes from the peer that were not given to TLS yet, while the machine holds a flight.
    var flight: [UInt8] = []
    private var peerLeg = SocketLeg()
    private var applicationLeg = SocketLeg()

    /// What was accepted; its number names the connection in the access log, and where the application is told of it.
    var downstream: Downstream
    var spareStanding = SpareStanding.none
    /// It was handshaken before its application came.
    var wasSpare: Bool { machine.wasSpare }
    /// The index of the listener's state.
    let listener: Int
    /// The plan by which it was accepted or admitted; a newer one once it has survived a change.
    var plan: ListenerPlan
    /// The index of its route in the plan.
    var route: Int?
    var dialling = Dialling()
    /// The load balancer that it came through.
    var balancer: SocketAddress?
    /// What the client connected to, as the load balancer says.
    var claimedDestination: SocketAddress?
    /// What its first bytes are to be; until that is known they are held as a flight.
    var opening = Opening.tls
    /// The flight is looked at again once it has so many bytes.
    var openingBytesAtLeast = 1
    /// The name that a ClientHello asked for which is not for us.
    var passedName: String?
    /// What was dialled because the client wanted to go there.
    var target: SocketAddress?
    /// The upstream's socket, as far as it is watched for a loop.
    var flow: Flow?

    /// Monotonic nanoseconds. Inbound: when the client's first bytes arrived; outbound: when the upstream was
    /// connected.
    var handshakeStartedAt: UInt64
    var handshakeNanoseconds: Int64?
    var lastActivity: UInt64
    /// The worker's round in which it was admitted or last rechecked; 0 before its admission.
    var round: UInt64 = 0
    /// The worker's round in which its handshake began.
    var handshakeRound: UInt64 = 0
    /// When a certificate of the peer's chain expires; `.max` if that does not end the connection.
    var expiresAt = UInt64.max
    /// When it reaches its maximum age; `.max` if there is none.
    var agesAt = UInt64.max
    /// When it began to flush; 0 before.
    var endedAt: UInt64 = 0
    var timer = Timer.none
    /// Whether it is one of the worker's inbound handshakes in progress.
    var countsAsHandshake = false
    /// When the last step that advanced it ended; of an inbound handshake in progress.
    var silentSince: UInt64 = 0
    /// Whether TLS has answered its first flight.
    var isAnswered = false
    /// Whether its client is not admitted yet.
    var countsAsStranger = false

    /// What the application was told before the peer's first byte; it counts among what its socket was sent.
    var prefaceBytes: UInt64 = 0
    /// Bytes thrown away after the end.
    var discardedBytes = 0
    var decision: Decision?
    /// The stable code that goes with the close reason.
    var code: String?
    var detail: String?

    /// The purpose of the slot's timer, which is reset when this changes.
    enum Timer: Equatable {
        case none, detection, handshake, connect, redial, spare, idle, halfClose, flush, linger, revoked, release
    }

    init(
        _ mode: ConnectionMachine.Mode, id: UInt64, descriptor: Int32, listener: Int, _ plan: ListenerPlan,
        destinationPort: UInt16, destination: SocketAddress? = nil, source: SocketAddress, now: UInt64
    ) {
        machine = ConnectionMachine(mode)
        if mode == .inbound { peerLeg.descriptor = descriptor } else { applicationLeg.descriptor = descriptor }
        downstream = Downstream(
            id: id, destinationPort: destinationPort, destination: destination, source: source, acceptedAt: now)
        self.listener = listener
        self.plan = plan
        handshakeStartedAt = now
        lastActivity = now
    }

    subscript(leg: Leg) -> SocketLeg {
        @inline(__always)
        _read {
            switch leg {
            case .peer: yield peerLeg
            case .application: yield applicationLeg
            }
        }
        @inline(__always)
        _modify {
            switch leg {
            case .peer: yield &peerLeg
            case .application: yield &applicationLeg
            }
        }
    }

    var idText: String { Self.idText(id) }

    /// Sixteen digits, lower case.
    static func idText(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The timer that the machine's phase asks for.
    var wantedTimer: Timer {
        switch machine.phase {
        case .waiting: opening == .detection && flight.isEmpty ? .detection : .handshake
        case .handshaking: .handshake
        case .dialling: .connect
        case .redialling: .redial
        case .spare: .spare
        case .relaying: machine.isHalfClosed ? .halfClose : .idle
        case .flushing: machine.isRevoked ? .revoked : .flush
        case .lingering: machine.isRevoked ? .revoked : .linger
        case .closing: .none
        }
    }
}
