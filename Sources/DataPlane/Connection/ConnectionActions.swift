/// What the worker must start for a connection; the machine already counts it as started.
struct ConnectionActions: OptionSet, Hashable {
    let rawValue: UInt16

    static let receivePeer = ConnectionActions(rawValue: 1 << 0)
    static let receiveApplication = ConnectionActions(rawValue: 1 << 1)
    static let sendPeer = ConnectionActions(rawValue: 1 << 2)
    static let sendApplication = ConnectionActions(rawValue: 1 << 3)
    /// Append close_notify to the peer's send queue.
    static let closeNotify = ConnectionActions(rawValue: 1 << 4)
    /// Append an alert to the peer's send queue that marks an abortive close.
    static let alert = ConnectionActions(rawValue: 1 << 10)
    /// Send FIN.
    static let finishPeer = ConnectionActions(rawValue: 1 << 5)
    static let finishApplication = ConnectionActions(rawValue: 1 << 6)
    /// Append bytes of the built-in source to the peer's send queue.
    static let produce = ConnectionActions(rawValue: 1 << 7)
    /// Cancel the operations that are in flight.
    static let cancel = ConnectionActions(rawValue: 1 << 8)
    /// No operation is left: close the sockets and free the slot.
    static let release = ConnectionActions(rawValue: 1 << 9)

    /// No operation of the failed upstream is left: close its socket and dial another endpoint.
    static let redial = ConnectionActions(rawValue: 1 << 11)

    static func receive(_ leg: Leg) -> ConnectionActions { leg == .peer ? .receivePeer : .receiveApplication }
    static func send(_ leg: Leg) -> ConnectionActions { leg == .peer ? .sendPeer : .sendApplication }
    static func finish(_ leg: Leg) -> ConnectionActions { leg == .peer ? .finishPeer : .finishApplication }
}
