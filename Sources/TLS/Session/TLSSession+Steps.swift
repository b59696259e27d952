import COpenSSL
import Identity
import Crypto
import SVID

/// The calls into OpenSSL; each runs inside the exchange's window.
extension TLSSession {
    /// The outcome of a call into OpenSSL.
    private enum Step {
        case wantsBytes, closed
        case failed(TLSFailure)
    }

    mutating func handshakeStep() -> HandshakeOutcome {
        ErrorQueue.clear()
        // Restores what an earlier call found: the session that this call may produce is kept with its peer.
        unsafe exchange.window.pointee.findings.verifiedPeer = claimedPeer
        unsafe exchange.window.pointee.findings.continuedPeer = continuedPeer
        let status = unsafe SSL_do_handshake(ssl)
        claimedPeer = unsafe exchange.window.pointee.findings.verifiedPeer
        continuedPeer = unsafe exchange.window.pointee.findings.continuedPeer
        unsafe secrets.take(from: &exchange.window.pointee.findings.secrets)
        guard status == 1 else {
            switch classify(status) {
            case .wantsBytes: return .wantsBytes
            case .closed: return fail(.misbehaved(.unexpectedMessage))
            case .failed(let failure):
                refusedPeer = unsafe exchange.window.pointee.findings.refusedPeer
                return fail(failure)
            }
        }
        guard let found = resumed ? resumedPeer : claimedPeer else { return fail(.refused(.noCertificate)) }
        if case .dialling = context.role, let chosen = applicationProtocol,
            !context.applicationProtocols.names.contains(chosen)
        {
            return fail(.misbehaved(.unofferedApplicationProtocol))
        }
        claimedPeer = nil
        continuedPeer = nil
        peer = found
        phase = .established
        return .complete
    }

    /// The peer of the session that is being resumed.
    private var resumedPeer: PeerSVID? {
        if case .dialling = context.role { return offeredPeer }
        // Safe: the SSL is alive and keeps its session's certificate, which must be that of the peer it was found with.
        guard let peer = continuedPeer, let certificate = unsafe SSL_get0_peer_certificate(ssl),
            unsafe Certificate(retaining: certificate).der == peer.leaf.der
        else { return nil }
        return peer
    }

    mutating func fail(_ failure: TLSFailure) -> HandshakeOutcome {
        phase = .failed(failure)
        claimedPeer = nil
        continuedPeer = nil
        return .failed(failure)
    }

    mutating func openRecords(into buffer: UnsafeMutableRawBufferPointer, _ used: inout Int) -> OpenOutcome {
        ErrorQueue.clear()
        unsafe exchange.window.pointee.receivedMessagesLimit = Self.messagesAfterHandshakeLimit
        defer { unsafe exchange.window.pointee.receivedMessagesLimit = .max }
        while true {
            // Safe: `used` never passes the buffer's count; OpenSSL writes at most the room it is given.
            var readBytes = 0
            let room = buffer.count - used
            precondition(room > 0, "openCapacity(inputBytes:) covers all that can come free")
            let status = unsafe SSL_read_ex(ssl, buffer.baseAddress! + used, room, &readBytes)
            if status == 1 {
                used += readBytes
                continue
            }
            switch classify(status) {
            case .wantsBytes:
                guard unsafe exchange.window.pointee.findings.receivedMessages > Self.messagesAfterHandshakeLimit else {
                    return .open
                }
                phase = .failed(.misbehaved(.tooManyRequests))
                return .failed(.misbehaved(.tooManyRequests))
            case .closed: return .closed
            case .failed(let failure):
                phase = .failed(failure)
                return .failed(failure)
            }
        }
    }

    mutating func sealRecords(_ plaintext: UnsafeRawBufferPointer) -> SealOutcome {
        ErrorQueue.clear()
        var writtenBytes = 0
        // Safe: OpenSSL reads the plaintext's bytes; without partial writes it takes all or fails.
        let status = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &writtenBytes)
        if status == 1 { return .sealed }
        let step = classify(status)
        guard case .failed(let failure) = step else {
            // OpenSSL wants to read only in a handshake, and renegotiation is off.
            phase = .failed(.misbehaved(.unexpectedMessage))
            return .failed(.misbehaved(.unexpectedMessage))
        }
        phase = .failed(failure)
        return .failed(failure)
    }

    private func classify(_ status: Int32) -> Step {
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ: return .wantsBytes
        case SSL_ERROR_ZERO_RETURN: return .closed
        // The output's capacity was checked before the call, so only a peer that provokes replies can fill it.
        case SSL_ERROR_WANT_WRITE: return .failed(.misbehaved(.tooManyRequests))
        default:
            let entry = ErrorQueue.take()
            if let name = unsafe exchange.window.pointee.findings.invalidServerName {
                return .failed(.misbehaved(.invalidServerName(name)))
            }
            if let refusal = unsafe exchange.window.pointee.findings.refusal { return .failed(.refused(refusal)) }
            guard let entry else { return .failed(.fault(.crypto(.refused(call: "SSL", library: 0, reason: 0)))) }
            return .failed(TLSFailure(entry))
        }
    }
}
