/// The life of one connection: events go in, ``plan()`` says what to start next. No I/O and no clock inside.
///
/// inbound: waiting -> handshaking -> (authorized) dialling -> relaying -> flushing/lingering -> closing
/// outbound: dialling -> handshaking -> (authorized) relaying -> flushing/lingering -> closing
/// outbound, its handshake failed: handshaking -> redialling -> dialling
/// inbound, in plaintext: waiting -> (authorized) dialling -> relaying -> flushing/lingering -> closing
/// outbound, passed through: dialling -> relaying -> flushing -> closing
/// spare: dialling -> handshaking -> spare -> (authorized) relaying
///
/// The plan is level-triggered: it starts whatever the whole state allows, so that no combination of events can miss a
/// step.
struct ConnectionMachine: Equatable {
    enum Mode: Equatable {
        case inbound, outbound
    }

    enum Phase: Equatable {
        /// Accepted; the client is silent, or waits for its handshake turn.
        case waiting
        case handshaking
        /// The upstream leg is being connected.
        case dialling
        /// The handshake with the upstream has failed: its socket is closed once it has been told why, and another
        /// endpoint is dialled. Nothing of the application was read.
        case redialling
        /// It has shaken hands and waits for an application.
        case spare
        case relaying
        /// It closes once the queued bytes have been sent.
        case flushing
        /// FIN is sent; what the client still sends is discarded, so that RST does not overtake an alert.
        case lingering
        case closing
    }

    /// What the peer's plaintext goes to: the application's socket, or a builtin in its place.
    enum Application: Equatable {
        case socket, echo, discard, source
    }

    /// Whether the connection goes on after an event; the caller must check it.
    enum Course: Equatable {
        case goesOn
        /// It has ended: only the flush and close that the plan asks for may still be started.
        case isOver
    }

    /// The next step once the peer is authorized.
    enum Authorized: Equatable {
        case dials, relays
        /// The connection ended before its handshake was complete, for lack of memory or the like.
        case isOver
    }

    let mode: Mode
    private(set) var phase: Phase
    private(set) var application = Application.socket
    private(set) var peer = LegState()
    private(set) var applicationLeg = LegState()
    /// The first reason given; later ones are consequences.
    private(set) var reason: CloseReason?
    /// A second connect is in flight, beside the upstream leg's or after it has won.
    private(set) var hasRival = false
    private var flightHeld = false
    private var closeNotifyQueued = false
    private var lingers = false
    private var cancelled = false
    /// An alert tells the peer of an abortive close: neither side may take the end for the other's own.
    private var saysAlert = false
    private var alertQueued = false
    /// It was admitted and then revoked: it must end soon.
    private(set) var isRevoked = false
    /// The peer's leg has no TLS: its ends are FIN and RST.
    private(set) var isPlain = false

    /// A connection that was just accepted. Outbound it dials at once; inbound it waits for its handshake turn.
    init(_ mode: Mode) {
        self.mode = mode
        phase = mode == .inbound ? .waiting : .dialling
        update(downstream) { $0.isOpen = true }
    }

    /// A connection that is made before an application needs it.
    init(spareOf mode: Mode) {
        precondition(mode == .outbound)
        self.mode = mode
        phase = .dialling
        wasSpare = true
    }

    /// Whether it was made before an application needed it.
    private(set) var wasSpare = false

    /// The leg that was accepted.
    var downstream: Leg { mode == .inbound ? .peer : .application }
    /// The leg that is dialled.
    var upstream: Leg { downstream.other }

    subscript(leg: Leg) -> LegState { leg == .peer ? peer : applicationLeg }

    /// Whether one direction has ended and the other has not.
    var isHalfClosed: Bool {
        phase == .relaying
            && (peer.readEnded || peer.writeEnded || applicationLeg.readEnded || applicationLeg.writeEnded)
    }

    /// Whether a handshake flight waits for its turn; nothing more is received until then.
    var holdsFlight: Bool { flightHeld && (phase == .waiting || phase == .handshaking) }

    /// Whether it has ended and sends nothing more; only the close is left.
    var isClosing: Bool { phase == .lingering || phase == .closing }

    /// Whether it goes on.
    var course: Course { phase == .flushing || isClosing ? .isOver : .goesOn }

    // MARK: Events

    /// Bytes of the peer, or the start of our own handshake, wait for a handshake turn.
    mutating func heldFlight() {
        precondition(!flightHeld && (phase == .waiting || phase == .handshaking))
        flightHeld = true
    }

    /// The held flight's turn has come.
    mutating func tookFlight() {
        precondition(holdsFlight)
        flightHeld = false
    }

    /// Its handshake turn has come.
    mutating func admitted() {
        precondition(phase == .waiting)
        phase = .handshaking
    }

    /// It is relayed as it is, without TLS: no handshake follows the connect. Inbound it is authorized next.
    mutating func passesThrough() {
        switch mode {
        case .inbound:
            precondition(phase == .waiting && !flightHeld)
            phase = .handshaking
        case .outbound: precondition(phase == .dialling)
        }
        isPlain = true
    }

    /// Whether it is relayed as it is, although its listener is there to protect.
    var isPassedThrough: Bool { isPlain && mode == .outbound }

    /// A socket was opened for the upstream leg and its connect is in flight.
    mutating func dialled() {
        precondition(phase == .dialling)
        update(upstream) { leg in
            leg.isOpen = true
            leg.isConnecting = true
        }
    }

    /// A second connect is in flight, on a socket of its own.
    mutating func rivalDialled() {
        precondition(phase == .dialling && self[upstream].isConnecting && !hasRival)
        hasRival = true
    }

    /// One of the two connects has ended and serves nobody: its socket is closed. If it was the leg's, the leg goes on
    /// with the other one.
    mutating func rivalEnded() -> Course {
        precondition(hasRival)
        hasRival = false
        return course
    }

    /// The connect ended; where it failed the socket is closed and another may be dialled.
    mutating func connectEnded(succeeded: Bool) -> Course {
        update(upstream) { leg in
            leg.isConnecting = false
            if !succeeded { leg.isOpen = false }
        }
        if succeeded, phase == .dialling { phase = mode == .inbound || isPlain ? .relaying : .handshaking }
        return course
    }

    /// Whether the handshake under way is with the upstream, and only the upstream delays it.
    var awaitsUpstreamHandshake: Bool { mode == .outbound && phase == .handshaking && !flightHeld }

    /// The handshake with the upstream failed, and another endpoint is to be dialled.
    ///
    /// - Parameter isBroken: its socket has failed.
    mutating func redials(isBroken: Bool) {
        precondition(awaitsUpstreamHandshake)
        phase = .redialling
        if isBroken { upstreamBroke() }
    }

    /// Nothing more can be sent to the upstream whose handshake failed, or it does not take it.
    mutating func upstreamBroke() {
        update(upstream) { leg in
            leg.writeFailed = true
            leg.writeEnded = true
        }
    }

    /// The failed upstream's socket is closed; a new one may be dialled.
    mutating func redialled() {
        precondition(phase == .redialling && !peer.isBusy)
        peer = LegState()
        cancelled = false
        phase = .dialling
    }

    /// The handshake is complete and the peer is allowed: inbound the application is next, outbound the relay begins.
    mutating func authorized(_ application: Application) -> Authorized {
        guard phase == .handshaking else { return .isOver }
        self.application = application
        phase = mode == .inbound && application == .socket ? .dialling : .relaying
        return phase == .dialling ? .dials : .relays
    }

    /// The handshake is complete, and nobody needs the connection yet.
    mutating func waitsForApplication() {
        precondition(phase == .handshaking && wasSpare)
        phase = .spare
    }

    /// An application has come: its socket is this connection's now.
    mutating func adopted() {
        precondition(phase == .spare)
        update(.application) { $0.isOpen = true }
        phase = .relaying
    }

    /// Nobody will need it: it ends as if an application had come and finished, and does not wait for the peer's end.
    mutating func retire() -> Course {
        guard phase == .spare else { return course }
        update(.application) { leg in
            leg.readEnded = true
            leg.writeEnded = true
            leg.queued = 0
        }
        update(.peer) { $0.readEnded = true }
        phase = .relaying
        return .goesOn
    }

    /// Bytes of this leg were received.
    mutating func received(_ leg: Leg) {
        update(leg) { $0.isReceiving = false }
    }

    /// `count` more buffers are in this leg's send queue.
    mutating func queued(_ count: Int, on leg: Leg) {
        update(leg) { $0.queued += UInt16(count) }
    }

    /// A send ended; `done` buffers left the queue.
    mutating func sent(_ done: Int, on leg: Leg) {
        update(leg) { state in
            state.isSending = false
            state.queued -= UInt16(done)
        }
    }

    /// A send failed: the worker has dropped the queue. What the leg sent before may still be read.
    mutating func sendFailed(_ leg: Leg) -> Course {
        update(leg) { state in
            state.isSending = false
            state.queued = 0
            state.writeFailed = true
            state.writeEnded = true
        }
        // If both have failed, neither is read any more: there is nobody to forward to.
        if phase == .relaying, self[leg].readEnded || self[leg.other].writeFailed {
            return end(leg == .peer ? .peerReset : .applicationReset)
        }
        return course
    }

    /// The leg will send nothing more: FIN of the application, close_notify of the peer.
    mutating func readEnded(_ leg: Leg) -> Course {
        update(leg) { $0.readEnded = true }
        if phase == .relaying, self[leg].writeFailed { return end(leg == .peer ? .peerReset : .applicationReset) }
        return course
    }

    /// The peer sent FIN without close_notify: the application must not take a truncated stream for a complete one.
    mutating func peerTruncated() -> Course {
        update(.peer) { $0.readEnded = true }
        return end(peer.writeFailed ? .peerReset : .peerTruncated)
    }

    /// A receive failed.
    mutating func receiveFailed(_ leg: Leg) -> Course {
        update(leg) { state in
            state.isReceiving = false
            state.readEnded = true
            state.writeFailed = true
            state.writeEnded = true
        }
        if phase == .redialling { return course }
        return end(leg == .peer ? .peerReset : .applicationReset)
    }

    /// Ends the connection after the queued bytes are sent; `lingering` also waits for a TLS client to have read them.
    ///
    /// A leg that cannot tell otherwise learns by RST that the close was not orderly.
    mutating func end(_ reason: CloseReason, lingering: Bool = false) -> Course {
        guard course == .goesOn else { return .isOver }
        self.reason = self.reason ?? reason
        lingers = lingering && mode == .inbound && !isPlain
        resetPlaintext()
        // What is queued for an unconnected socket will never be sent.
        update(upstream) { if $0.isConnecting { $0.writeFailed = true } }
        phase = .flushing
        return .isOver
    }

    /// Aborts the connection now. FIN would tell the application, and close_notify the peer, that the other side had
    /// finished; so the application gets RST, and the peer an alert if nothing is queued before it.
    mutating func cut(_ reason: CloseReason) -> Course {
        guard phase != .closing else { return .isOver }
        let isQuiet = phase == .relaying && peer.isFlushed && applicationLeg.isFlushed
        self.reason = self.reason ?? reason
        resetPlaintext()
        if isQuiet, !closeNotifyQueued {
            phase = .flushing
            saysAlert = !isPlain
        } else {
            phase = .closing
        }
        return .isOver
    }

    /// Revokes a relaying connection: nothing more is received, the queued bytes are sent, and the peer gets an alert,
    /// the application RST.
    mutating func revoke(_ reason: CloseReason) -> Course {
        guard phase == .relaying else { return cut(reason) }
        self.reason = self.reason ?? reason
        resetPlaintext()
        isRevoked = true
        saysAlert = !isPlain
        lingers = mode == .inbound && !isPlain
        phase = .flushing
        return .isOver
    }

    /// A plaintext leg learns by RST that the end was not orderly.
    private mutating func resetPlaintext() {
        update(.application) { $0.resetsOnClose = true }
        if isPlain { update(.peer) { $0.resetsOnClose = true } }
    }

    // MARK: The plan

    /// What to start now.
    ///
    /// - Parameter isScarce: memory is scarce: no second buffer may queue behind the one in flight.
    mutating func plan(isScarce: Bool = false) -> ConnectionActions {
        var actions: ConnectionActions = []
        // A builtin has nobody else to serve.
        if phase == .relaying, application != .socket, peer.writeFailed { _ = end(.peerReset) }
        switch phase {
        case .waiting:
            if !flightHeld { planReceive(.peer, &actions) }
        case .handshaking:
            planSend(.peer, &actions)
            if !flightHeld, peer.queued <= Self.lowWaterBuffers { planReceive(.peer, &actions) }
        case .dialling:
            if mode == .inbound { planSend(.peer, &actions) }
        case .redialling: planRedial(&actions)
        case .spare:
            planSend(.peer, &actions)
            // What a server says first waits for the application.
            if applicationLeg.queued == 0, peer.queued <= Self.lowWaterBuffers { planReceive(.peer, &actions) }
        case .relaying: planRelay(isScarce, &actions)
        case .flushing: planFlush(&actions)
        case .lingering:
            if self[downstream].readEnded { phase = .closing } else { planReceive(downstream, &actions) }
        case .closing: break
        }
        if phase == .closing { planClosing(&actions) }
        return actions
    }

    private mutating func planRelay(_ isScarce: Bool, _ actions: inout ConnectionActions) {
        planSend(.peer, &actions)
        planSend(.application, &actions)
        let sink = application == .socket ? applicationLeg : peer
        let lowWater = isScarce ? 0 : Self.lowWaterBuffers
        if !sink.writeFailed, sink.queued <= lowWater, peer.queued <= Self.highWaterBuffers {
            planReceive(.peer, &actions)
        }
        if application == .socket {
            if !peer.writeFailed, peer.queued <= lowWater { planReceive(.application, &actions) }
        } else {
            planBuiltin(lowWater, &actions)
        }
        if peer.readEnded, applicationLeg.isFlushed, !applicationLeg.writeEnded {
            update(.application) { $0.writeEnded = true }
            if application == .socket { actions.insert(.finishApplication) }
        }
        if applicationLeg.readEnded, !closeNotifyQueued, !peer.writeFailed {
            closeNotifyQueued = true
            // Without TLS FIN says it alone.
            if !isPlain { actions.insert(.closeNotify) }
        }
        if closeNotifyQueued, !actions.contains(.closeNotify), peer.isFlushed, !peer.writeEnded {
            update(.peer) { $0.writeEnded = true }
            actions.insert(.finishPeer)
        }
        if peer.readEnded, peer.writeEnded, applicationLeg.readEnded, applicationLeg.writeEnded {
            reason = reason ?? .finished
            phase = .closing
        }
    }

    private mutating func planBuiltin(_ lowWater: UInt16, _ actions: inout ConnectionActions) {
        if peer.readEnded { update(.application) { $0.readEnded = true } }
        if application == .source, !peer.readEnded, peer.queued <= lowWater { actions.insert(.produce) }
    }

    private mutating func planFlush(_ actions: inout ConnectionActions) {
        if saysAlert, !closeNotifyQueued, !alertQueued {
            alertQueued = true
            actions.insert(.alert)
            return
        }
        planSend(.peer, &actions)
        planSend(.application, &actions)
        guard peer.isFlushed, applicationLeg.isFlushed else { return }
        let client = self[downstream]
        guard lingers, client.isOpen, !client.writeFailed, !client.readEnded else {
            phase = .closing
            return
        }
        phase = .lingering
        if !client.writeEnded {
            update(downstream) { $0.writeEnded = true }
            actions.insert(.finish(downstream))
        }
        planReceive(downstream, &actions)
    }

    private mutating func planRedial(_ actions: inout ConnectionActions) {
        planSend(.peer, &actions)
        guard peer.isFlushed else { return }
        if peer.isBusy {
            if !cancelled { actions.insert(.cancel) }
            cancelled = true
        } else {
            actions = .redial
        }
    }

    private mutating func planClosing(_ actions: inout ConnectionActions) {
        if peer.isBusy || applicationLeg.isBusy || hasRival {
            if !cancelled { actions.insert(.cancel) }
            cancelled = true
        } else {
            actions = .release
        }
    }

    private mutating func planSend(_ leg: Leg, _ actions: inout ConnectionActions) {
        let state = self[leg]
        guard state.isOpen, !state.isConnecting, !state.isSending, !state.isWriteOver, state.queued > 0 else { return }
        update(leg) { $0.isSending = true }
        actions.insert(.send(leg))
    }

    private mutating func planReceive(_ leg: Leg, _ actions: inout ConnectionActions) {
        let state = self[leg]
        guard state.isOpen, !state.isReceiving, !state.readEnded else { return }
        update(leg) { $0.isReceiving = true }
        actions.insert(.receive(leg))
    }

    @inline(__always)
    private mutating func update(_ leg: Leg, _ body: (inout LegState) -> Void) {
        if leg == .peer { body(&peer) } else { body(&applicationLeg) }
    }

    /// Back-pressure: a leg is read while the other one's queue holds at most this: one buffer in flight, one behind
    /// it.
    private static let lowWaterBuffers: UInt16 = 1
    /// The peer is not read while this much is queued for it: replies to its key updates must not pile up.
    private static let highWaterBuffers: UInt16 = 3
}
