import Testing

@testable import DataPlane

@Suite("The connection machine")
struct ConnectionMachineTests {
    @Test("an inbound connection is read, and after its first bytes not again before its handshake turn")
    func waits() {
        var machine = ConnectionMachine(.inbound)
        #expect(machine.plan() == .receivePeer)
        #expect(machine.plan() == [], "what is in flight is not started again")
        machine.received(.peer)
        machine.heldFlight()
        #expect(machine.holdsFlight)
        #expect(machine.plan() == [])
        machine.tookFlight()
        machine.admitted()
        #expect(machine.plan() == .receivePeer)
    }

    @Test("while a flight waits for its turn what is queued is sent, and nothing is received")
    func holdsFlight() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.queued(1, on: .peer)
        machine.received(.peer)
        machine.heldFlight()
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == [])
        _ = machine.end(.handshakeTimeout)
        #expect(!machine.holdsFlight)
        #expect(machine.plan() == .release)
    }

    @Test("the application is dialled only after the peer is authorized")
    func dialsAfterAuthorization() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        #expect(machine.phase == .handshaking)
        _ = machine.authorized(.socket)
        #expect(machine.phase == .dialling)
        machine.dialled()
        #expect(machine.plan() == [], "the peer is not read while nobody takes its bytes")
        _ = machine.connectEnded(succeeded: true)
        #expect(machine.phase == .relaying)
        #expect(machine.plan() == [.receivePeer, .receiveApplication])
    }

    @Test("a connection that ended in its handshake is not admitted by what completes afterwards")
    func endedBeforeAuthorization() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        _ = machine.end(.overloaded)
        #expect(machine.authorized(.socket) == .isOver)
        #expect(machine.plan() == .release)
        #expect(machine.reason == .overloaded)
    }

    @Test("an outbound connection dials, then does the handshake, then relays")
    func outbound() {
        var machine = ConnectionMachine(.outbound)
        machine.dialled()
        #expect(machine.plan() == [])
        _ = machine.connectEnded(succeeded: true)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == [.sendPeer, .receivePeer])
        _ = machine.authorized(.socket)
        #expect(machine.phase == .relaying)
        #expect(machine.plan() == .receiveApplication)
    }

    @Test("after a failed handshake with its upstream it dials again, once that has been told and nothing is in flight")
    func redials() {
        var machine = ConnectionMachine(.outbound)
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == [.sendPeer, .receivePeer])
        machine.sent(1, on: .peer)
        machine.received(.peer)
        machine.heldFlight()
        machine.tookFlight()
        #expect(machine.plan() == .receivePeer)
        // An alert.
        machine.queued(1, on: .peer)
        machine.redials(isBroken: false)
        #expect(machine.plan() == .sendPeer, "and nothing of the application is read")
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .cancel)
        #expect(machine.plan() == [])
        machine.received(.peer)
        #expect(machine.plan() == .redial)
        machine.redialled()
        #expect(machine.phase == .dialling && machine.peer == LegState())
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == [.sendPeer, .receivePeer])
    }

    @Test("of an upstream that takes nothing, or is gone, no alert is waited for", arguments: [true, false])
    func redialsFromBroken(isBroken: Bool) {
        var machine = ConnectionMachine(.outbound)
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == [.sendPeer, .receivePeer])
        machine.redials(isBroken: isBroken)
        if !isBroken {
            #expect(machine.plan() == [])
            machine.upstreamBroke()
        }
        #expect(machine.plan() == .cancel)
        #expect(machine.sendFailed(.peer) == .goesOn)
        #expect(machine.receiveFailed(.peer) == .goesOn)
        #expect(machine.plan() == .redial)
        #expect(machine.cut(.drained) == .isOver)
        #expect(machine.plan() == .release)
    }

    @Test("a leg is not read while two buffers are queued for the other one", arguments: [Leg.peer, .application])
    func backpressure(_ slow: Leg) {
        var machine = relaying()
        _ = machine.plan()
        machine.received(slow.other)
        machine.queued(1, on: slow)
        #expect(machine.plan() == [.send(slow), .receive(slow.other)])
        machine.received(slow.other)
        machine.queued(1, on: slow)
        #expect(machine.plan() == [])
        machine.sent(1, on: slow)
        #expect(machine.plan() == [.send(slow), .receive(slow.other)])
    }

    @Test("the application's FIN becomes close_notify, then FIN, once all it sent has been sent on")
    func applicationFinishes() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.application)
        machine.queued(1, on: .peer)
        _ = machine.readEnded(.application)
        #expect(machine.plan() == [.sendPeer, .closeNotify])
        machine.queued(1, on: .peer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .finishPeer)
        #expect(machine.isHalfClosed)
        machine.received(.peer)
        _ = machine.readEnded(.peer)
        #expect(machine.plan() == .release)
        #expect(machine.reason == .finished)
    }

    @Test("the peer's close_notify becomes FIN once all it sent is delivered")
    func peerFinishes() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .application)
        _ = machine.readEnded(.peer)
        #expect(machine.plan() == .sendApplication)
        machine.sent(1, on: .application)
        #expect(machine.plan() == .finishApplication)
        machine.received(.application)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == [.sendPeer, .receiveApplication], "the other direction goes on")
    }

    @Test("FIN without close_notify delivers the received bytes and then resets the application")
    func truncated() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .application)
        _ = machine.peerTruncated()
        #expect(machine.plan() == .sendApplication)
        machine.sent(1, on: .application)
        #expect(machine.plan() == .cancel)
        machine.received(.application)
        #expect(machine.plan() == .release)
        #expect(machine.reason == .peerTruncated)
        #expect(machine.applicationLeg.resetsOnClose)
    }

    @Test("FIN without close_notify resets even an application that has finished sending: it may wait for an answer")
    func truncatedAnswer() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.application)
        _ = machine.readEnded(.application)
        #expect(machine.plan() == .closeNotify)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .finishPeer)
        machine.received(.peer)
        _ = machine.peerTruncated()
        #expect(machine.plan() == .release)
        #expect(machine.reason == .peerTruncated)
        #expect(machine.applicationLeg.resetsOnClose)
    }

    @Test("a refused client gets its alert, then FIN, and is read until it has closed")
    func lingers() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .peer)
        _ = machine.end(.policyDenied, lingering: true)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == [.finishPeer, .receivePeer])
        machine.received(.peer)
        _ = machine.readEnded(.peer)
        #expect(machine.plan() == .release)
        #expect(machine.reason == .policyDenied)
    }

    @Test("what an application sent before its connection failed is still delivered")
    func brokenApplication() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .application)
        #expect(machine.plan().contains(.sendApplication))
        _ = machine.sendFailed(.application)
        #expect(!machine.plan().contains(.receivePeer), "nobody is left to take the peer's bytes")
        machine.received(.application)
        machine.queued(1, on: .peer)
        #expect(machine.plan().contains([.sendPeer, .receiveApplication]))
        _ = machine.receiveFailed(.application)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .cancel)
        machine.received(.peer)
        #expect(machine.plan() == .release)
        #expect(machine.reason == .applicationReset)
    }

    @Test("a quiet connection that is cut tells the peer by an alert and the application by RST")
    func cutQuiet() {
        var machine = relaying()
        _ = machine.plan()
        _ = machine.cut(.drained)
        #expect(machine.plan() == .alert)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .cancel)
        #expect(machine.applicationLeg.resetsOnClose)
    }

    @Test("a connection that is revoked sends what is queued, then an alert, and never close_notify or FIN before it")
    func revokes() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.application)
        machine.queued(1, on: .peer)
        _ = machine.revoke(.policyChanged)
        #expect(machine.plan() == .alert)
        machine.queued(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .finishPeer)
        #expect(machine.applicationLeg.resetsOnClose && !machine.applicationLeg.writeEnded)
    }

    @Test("after the application's own FIN a cut adds no alert behind close_notify")
    func cutAfterCloseNotify() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.application)
        _ = machine.readEnded(.application)
        #expect(machine.plan() == .closeNotify)
        machine.queued(1, on: .peer)
        _ = machine.revoke(.policyChanged)
        #expect(machine.plan() == .sendPeer)
        #expect(machine.applicationLeg.resetsOnClose)
    }

    @Test("a connection that is cut with bytes in flight resets the application")
    func cutBusy() {
        var machine = relaying()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .application)
        _ = machine.plan()
        _ = machine.cut(.drained)
        #expect(machine.plan() == .cancel)
        #expect(machine.applicationLeg.resetsOnClose)
    }

    @Test("the connect's time-out does not wait for bytes that can no longer be delivered")
    func connectTimeout() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        _ = machine.authorized(.socket)
        machine.dialled()
        machine.queued(1, on: .application)
        _ = machine.end(.connectTimeout, lingering: true)
        #expect(machine.plan() == [.finishPeer, .receivePeer])
    }

    @Test("the built-in echo closes after the peer has")
    func echo() {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        _ = machine.authorized(.echo)
        #expect(machine.plan() == .receivePeer)
        machine.received(.peer)
        machine.queued(1, on: .peer)
        _ = machine.readEnded(.peer)
        #expect(machine.plan() == [.sendPeer, .closeNotify])
        machine.queued(1, on: .peer)
        machine.sent(1, on: .peer)
        #expect(machine.plan() == .sendPeer)
        machine.sent(1, on: .peer)
        var actions = machine.plan()
        if actions == .finishPeer { actions = machine.plan() }
        #expect(actions == .release)
        #expect(machine.reason == .finished)
    }

    @Test("a built-in upstream ends at once when its peer can no longer be sent to", arguments: [false, true])
    func brokenPeerOfABuiltin(failsInHandshake: Bool) {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        machine.queued(1, on: .peer)
        if failsInHandshake {
            _ = machine.plan()
            _ = machine.sendFailed(.peer)
            machine.received(.peer)
            _ = machine.authorized(.echo)
        } else {
            _ = machine.authorized(.echo)
            _ = machine.plan()
            _ = machine.sendFailed(.peer)
            machine.received(.peer)
        }
        #expect(machine.plan() == .release)
        #expect(machine.reason == .peerReset)
    }

    @Test("what is passed through is relayed once it is connected, and ends with FIN in both directions")
    func passesThrough() {
        var machine = ConnectionMachine(.outbound)
        machine.passesThrough()
        machine.dialled()
        #expect(machine.plan() == [], "nothing is read while nobody takes it")
        _ = machine.connectEnded(succeeded: true)
        #expect(machine.phase == .relaying)
        #expect(machine.plan() == [.receivePeer, .receiveApplication])
        machine.received(.application)
        _ = machine.readEnded(.application)
        #expect(machine.plan() == .finishPeer, "no close_notify goes before it")
        machine.received(.peer)
        _ = machine.readEnded(.peer)
        #expect(machine.plan() == .release, "closing sends the other FIN")
        #expect(machine.reason == .finished && !machine.peer.resetsOnClose && !machine.applicationLeg.resetsOnClose)
    }

    @Test("what is passed through and cut ends with RST in both directions, and with no alert")
    func cutPassage() {
        var machine = ConnectionMachine(.outbound)
        machine.passesThrough()
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        _ = machine.plan()
        _ = machine.revoke(.routeRemoved)
        #expect(machine.plan() == .cancel)
        #expect(machine.peer.resetsOnClose && machine.applicationLeg.resetsOnClose)
    }

    private func relaying() -> ConnectionMachine {
        var machine = ConnectionMachine(.inbound)
        machine.admitted()
        _ = machine.plan()
        machine.received(.peer)
        _ = machine.authorized(.socket)
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        return machine
    }
}
