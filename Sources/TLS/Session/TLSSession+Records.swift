import COpenSSL
import Identity
import Crypto

/// TLS 1.3 after the handshake: our own records instead of OpenSSL's.
extension TLSSession {
    /// Takes the record layer over from OpenSSL, and frees its object unless it is needed for tickets.
    ///
    /// - Parameter written: what OpenSSL sent in the call that completed the handshake. An accepting side has read the
    ///   client's Finished by then, so that these are tickets, and the first records under our application key.
    mutating func takeOver(_ written: UnsafeRawBufferPointer) throws(TLSFault) {
        // Safe, in all of this extension: the SSL is alive and this value's own.
        guard let cipher = unsafe RecordCipher(rawValue: SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl))),
            let client = secrets.client.take(), let server = secrets.server.take(),
            client.count == cipher.secretBytes, server.count == cipher.secretBytes,
            // Without read_ahead OpenSSL reads records one by one: it holds none that are ours to read.
            unsafe SSL_has_pending(ssl) == 0
        else { throw .recordsNotTakenOver }
        let details = negotiatedDetails(cipher)
        let layer: RecordLayer
        switch context.role {
        case .accepting:
            guard let sent = unsafe RecordHeader.count(in: written) else { throw .recordsNotTakenOver }
            layer = RecordLayer(
                details, sending: try TrafficKey(.sealing, cipher, server, sequence: sent, exchange.ciphers),
                receiving: try TrafficKey(.opening, cipher, client, sequence: 0, exchange.ciphers),
                acceptsTickets: false, tickets: nil, exchange)
            unsafe Self.free(ssl)
        case .dialling:
            layer = RecordLayer(
                details, sending: try TrafficKey(.sealing, cipher, client, sequence: 0, exchange.ciphers),
                receiving: try TrafficKey(.opening, cipher, server, sequence: 0, exchange.ciphers),
                acceptsTickets: true, tickets: nil, exchange)
            if let sessions = context.offeredSessions, let peer {
                layer.tickets = unsafe TicketReader(owning: ssl, sessions, peer, endpoint: endpoint)
            } else {
                unsafe Self.free(ssl)
            }
        }
        unsafe handshaker = nil
        offeredPeer = nil
        records = layer
    }

    /// Frees an SSL whose session is sound. The context's cache drops the session of an SSL that was not shut down.
    static func free(_ ssl: OpaquePointer) {
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    private func negotiatedDetails(_ cipher: RecordCipher) -> NegotiatedDetails {
        var number: Digest256?
        if context.acceptedSessions != nil, let session = unsafe SSL_get_session(ssl) {
            var count: UInt32 = 0
            // Safe: the bytes belong to the session and are copied at once.
            let bytes = unsafe SSL_SESSION_get_id(session, &count)
            number = unsafe Digest256(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        }
        // Names that a context's connections share are stored once.
        let agreed = applicationProtocol
        return NegotiatedDetails(
            cipher: cipher, keyExchange: keyExchange, resumed: resumed, serverName: serverName.map(context.shared),
            applicationProtocol: context.applicationProtocols.names.first { $0 == agreed }, session: number,
            recordLimit: recordLimit)
    }

    // MARK: Bytes

    mutating func open(
        _ layer: RecordLayer, _ input: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer,
        _ used: inout Int
    ) -> OpenOutcome {
        do throws(RecordFlaw) {
            return switch unsafe try layer.open(input, into: buffer, &used) {
            case .open: .open
            case .closed: .closed
            }
        } catch {
            if let alert = error.alert {
                // If not even an alert can be sealed, the peer gets none.
                unsafe try? exchange.reply { (room) throws(RecordFlaw) in unsafe try layer.sealAlert(alert, into: room)
                }
            }
            return .failed(fail(layer, TLSFailure(error)))
        }
    }

    mutating func seal(
        _ layer: RecordLayer, _ plaintext: UnsafeRawBufferPointer, into room: UnsafeMutableRawPointer, _ used: inout Int
    ) -> SealOutcome {
        do throws(RecordFlaw) {
            used += unsafe try layer.seal(plaintext, into: room)
            return .sealed
        } catch {
            return .failed(fail(layer, TLSFailure(error)))
        }
    }

    mutating func sealAlert(_ layer: RecordLayer, _ number: UInt8, into output: inout OutputRawSpan) {
        precondition(output.freeCapacity >= Self.alertCapacity)
        // Safe: the pointers are used within the closure only, and there is room for an alert.
        unsafe output.withUnsafeMutableBytes { buffer, count in
            do throws(RecordFlaw) {
                count += unsafe try layer.sealAlert(number, into: buffer.baseAddress! + count)
            } catch {
                _ = fail(layer, TLSFailure(error))
            }
        }
    }

    /// Ends the session, which must not be resumed (RFC 8446, section 6.2).
    mutating func fail(_ layer: RecordLayer, _ failure: TLSFailure) -> TLSFailure {
        phase = .failed(failure)
        if let number = layer.details.session { context.acceptedSessions?.forget(number) }
        layer.givenSession?.forget()
        layer.tickets = nil
        layer.partial = nil
        return failure
    }

    private static let alertCapacity = 2 + RecordFormat.overheadBytes
}
