import EventLoop

/// The two sockets of a connection: the one that speaks mutual TLS and the one that does not.
///
/// Inbound, the peer's is accepted and the application's dialled; outbound, the other way round.
enum Leg: UInt8, CaseIterable {
    case peer = 0
    case application = 1

    var other: Leg { self == .peer ? .application : .peer }
}

/// The kind of a worker's operation, in the eight bits that a token has for it.
enum Operation: UInt8 {
    case accept = 1
    case connectPeer = 2
    case connectApplication = 3
    case receivePeer = 4
    case receiveApplication = 5
    case sendPeer = 6
    case sendApplication = 7
    /// Of two connects of the upstream leg that run at once, one has this name.
    case connectRival = 8

    static func receive(_ leg: Leg) -> Operation { leg == .peer ? .receivePeer : .receiveApplication }
    static func send(_ leg: Leg) -> Operation { leg == .peer ? .sendPeer : .sendApplication }
    static func connect(_ leg: Leg) -> Operation { leg == .peer ? .connectPeer : .connectApplication }
}
