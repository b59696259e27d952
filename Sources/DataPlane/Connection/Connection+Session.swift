import Identity
import TLS
import SVID

/// The session's calls, for states in which there must be one.
extension Connection {
    mutating func handshake(
        _ input: RawSpan, into output: inout OutputRawSpan
    ) -> (outcome: HandshakeOutcome, consumed: Int) {
        guard session != nil else { preconditionFailure("no session") }
        return session!.handshake(input, into: &output)
    }

    mutating func open(_ input: RawSpan, into plaintext: inout OutputRawSpan) -> OpenOutcome {
        guard session != nil else { preconditionFailure("no session") }
        return session!.open(input, into: &plaintext)
    }

    mutating func seal(_ plaintext: RawSpan, into output: inout OutputRawSpan) -> SealOutcome {
        guard session != nil else { preconditionFailure("no session") }
        return session!.seal(plaintext, into: &output)
    }

    mutating func closeNotify(into output: inout OutputRawSpan) {
        session?.closeNotify(into: &output)
    }

    mutating func abort(_ abort: TLSAbort, into output: inout OutputRawSpan) {
        session?.abort(abort, into: &output)
    }

    mutating func refuse(into output: inout OutputRawSpan) {
        session?.refuse(into: &output)
    }

    /// Whether it was refused for an invalid server name.
    var asksForNoName: Bool { withSession { $0.asksForNoName } ?? false }

    func sealable(capacity: Int) -> Int { withSession { $0.sealable(capacity: capacity) } ?? 0 }

    var holdsPartialRecord: Bool { withSession { $0.holdsPartialRecord } ?? false }

    var peer: PeerSVID? { withSession { $0.peer } }
    var refusedPeer: RefusedPeer? { withSession { $0.refusedPeer } }
    var serverName: String? { withSession { $0.serverName } }
    var applicationProtocol: String? { withSession { $0.applicationProtocol } }

    func withSession<Value>(_ body: (borrowing TLSSession) -> Value?) -> Value? {
        switch session {
        case .some(let session): body(session)
        case .none: nil
        }
    }
}
