import EventLoop
import Glibc
import Identity
import Policy
import Settings
import System
import TLS
import Telemetry
import SVID

extension Worker {
    /// The access record of a connection that is over.
    func record(_ slot: Int32) -> AccessRecord {
        let plan = connections[slot].plan
        let mode = connections[slot].machine.mode
        let reason = connections[slot].machine.reason ?? .finished
        var record = AccessRecord(
            timeUnixNanoseconds: loop.wallClock, listener: plan.name,
            direction: mode == .inbound ? .inbound : .outbound,
            source: connections[slot].source.text, localID: plan.localID,
            closeReason: reason.rawValue, durationNanoseconds: Int64(loop.now - connections[slot].acceptedAt))
        if let index = connections[slot].route ?? presumedRoute(slot) {
            let route = plan.routes[index]
            record.route = route.name
            if let builtin = route.builtin {
                record.upstream = reason.refusesAdmission ? nil : builtin.rawValue
            } else {
                record.upstream = connections[slot].dialledAddress?.text
            }
            if let policy = route.policy { describeDecision(slot, policy, &record) }
        }
        describeDestination(slot, &record)
        record.connection = connections[slot].idText
        record.balancer = connections[slot].balancer?.text
        record.take(connections[slot].caller)
        record.preconnected = connections[slot].wasSpare
        record.attempts = connections[slot].dialling.attempts.map(AccessRecord.Attempt.init)
        record.closeCode = connections[slot].code
        record.closeDetail = connections[slot].detail
        record.handshakeNanoseconds = connections[slot].handshakeNanoseconds
        countBytes(slot, &record)
        describeSession(slot, &record)
        // Whatever policy decided before.
        if reason.refusesAdmission || connections[slot].asksForNoName { record.decision = .denied }
        return record
    }

    /// The access record of a connection that never got a slot.
    func refusedRecord(
        listener index: Int, source: SocketAddress, _ reason: CloseReason, _ caller: LocalCaller? = nil,
        destination: SocketAddress? = nil, _ detail: String? = nil
    ) -> AccessRecord {
        var record = AccessRecord(
            timeUnixNanoseconds: loop.wallClock, listener: listeners[index].plan.name,
            direction: listeners[index].plan.mode == .inbound ? .inbound : .outbound,
            source: source.text, closeReason: reason.rawValue, durationNanoseconds: 0)
        record.take(caller)
        record.destination = destination?.text
        record.closeDetail = detail
        if reason.refusesAdmission { record.decision = .denied }
        return record
    }

    // MARK: Private

    /// Bytes to the upstream are those sent; bytes received from one side and not sent to the other count as discarded.
    private func countBytes(_ slot: Int32, _ record: inout AccessRecord) {
        let fromPeer = connections[slot][.peer].receivedBytes
        let fromApplication = connections[slot][.application].receivedBytes
        let toPeer = connections[slot][.peer].sentBytes
        // A builtin consumes all that it is given.
        let isSocket = connections[slot].machine.application == .socket
        let sent = connections[slot][.application].sentBytes
        let toApplication = isSocket ? sent - min(sent, connections[slot].prefaceBytes) : fromPeer
        let isInbound = connections[slot].machine.mode == .inbound
        record.bytesToUpstream = isInbound ? toApplication : toPeer
        record.bytesFromUpstream = isInbound ? fromApplication : fromPeer
        record.bytesDiscarded =
            (fromPeer - min(toApplication, fromPeer)) + (fromApplication - min(toPeer, fromApplication))
    }

    /// The route that a client refused for its certificate would have taken.
    private func presumedRoute(_ slot: Int32) -> Int? {
        guard connections[slot].machine.mode == .inbound, connections[slot].refusedPeer != nil else { return nil }
        return connections[slot].plan.route(
            serverName: connections[slot].serverName, applicationProtocol: connections[slot].applicationProtocol,
            destinationPort: connections[slot].destinationPort,
            destination: connections[slot].destination?.endpoint.address)
    }

    private func describe(_ refused: RefusedPeer, _ record: inout AccessRecord) {
        record.claimedPeer = AccessRecord.ClaimedPeer(
            id: refused.id?.description, names: refused.names, serialNumber: refused.serialHex,
            sha256: refused.sha256Hex,
            issuer: refused.issuer, notAfterUnixSeconds: refused.notAfter,
            isVerified: refused.isVerified)
    }

    private func describeDecision(_ slot: Int32, _ policy: Policy, _ record: inout AccessRecord) {
        guard let decision = connections[slot].decision else { return }
        record.policy = policy.name
        if let rule = decision.ruleIndex { record.rule = policy.rules[rule].name }
        switch decision.outcome {
        case .allowed: record.decision = .allowed
        case .denied, .noMatch: record.decision = decision.forwards ? .wouldDeny : .denied
        }
    }

    private func describeSession(_ slot: Int32, _ record: inout AccessRecord) {
        record.serverName = connections[slot].serverName ?? connections[slot].passedName
        if let refused = connections[slot].refusedPeer { describe(refused, &record) }
        guard connections[slot].handshakeNanoseconds != nil else { return }
        record.applicationProtocol = connections[slot].applicationProtocol
        record.tlsVersion = connections[slot].withSession { $0.version.rawValue }
        record.cipher = connections[slot].withSession { $0.cipher }
        record.keyExchange = connections[slot].withSession { $0.keyExchange?.rawValue }
        record.resumed = connections[slot].withSession { $0.resumed }
        guard let peer = connections[slot].peer else { return }
        record.peerID = peer.id.description
        record.peerCertificate = AccessRecord.PeerCertificate(
            serialNumber: peer.serialHex, sha256: peer.sha256Hex, notAfterUnixSeconds: peer.notAfter)
    }
}

extension AccessRecord {
    fileprivate mutating func take(_ caller: LocalCaller?) {
        callerUser = caller?.user
        callerProcess = caller?.process
    }
}

extension AccessRecord.Attempt {
    init(_ attempt: Dialling.Attempt) {
        let outcome =
            switch attempt.outcome {
            case .connected: "connected"
            case .timedOut: "timeout"
            case .handshakeFailed: "handshake-failed"
            case .overtaken: "overtaken"
            case .failed(ECONNREFUSED): "refused"
            case .failed(EHOSTUNREACH), .failed(ENETUNREACH): "unreachable"
            case .failed: "failed"
            }
        self.init(
            upstream: attempt.address.text, outcome: outcome, code: attempt.code, claimedID: attempt.claimedID,
            nanoseconds: Int64(clamping: attempt.nanoseconds))
    }
}
