import COpenSSL

/// The records of one TLS 1.3 connection after its handshake (RFC 8446, section 5), in both directions.
///
/// An idle connection holds two keys and the two secrets of their successors, and no buffer.
@safe
final class RecordLayer {
    let details: NegotiatedDetails
    var exchange: RecordExchange
    var sending: TrafficKey
    var receiving: TrafficKey
    var messages: PostHandshakeMessages
    var partial: PartialRecord?
    /// On a dialling side, as long as tickets may still come.
    var tickets: TicketReader?
    var hasTicket = false
    /// The session that the server gave us last, as long as it is kept elsewhere.
    weak var givenSession: KeptSession?
    var emptyRecords = 0
    var warnings = 0
    /// The peer has sent close_notify.
    var isClosed = false
    /// We have sent close_notify or a fatal alert.
    var isSendingOver = false
    /// The peer has requested our next key: a key update goes out before our next application data.
    var owesKeyUpdate = false
    /// We have requested the peer's next key, and it has not come yet.
    var awaitsKeyUpdate = false
    /// How many records one key protects before it is changed.
    var recordsPerKey = RecordLayer.recordsPerKey

    init(
        _ details: NegotiatedDetails, sending: consuming TrafficKey, receiving: consuming TrafficKey,
        acceptsTickets: Bool, tickets: consuming TicketReader?, _ exchange: RecordExchange
    ) {
        self.details = details
        self.sending = sending
        self.receiving = receiving
        self.tickets = tickets
        self.exchange = exchange
        messages = PostHandshakeMessages(acceptsTickets: acceptsTickets)
    }

    /// A third of what RFC 8446, section 5.5, allows one key of AES-GCM to protect.
    static let recordsPerKey: UInt64 = 1 << 23
    /// Key updates and tickets in one read: a compliant peer sends one now and then, and each costs us far more than
    /// the peer.
    static let messagesPerRead = 16
    /// Consecutive records without content.
    static let maximumEmptyRecords = 32
    /// Warning alerts over a connection's life.
    static let maximumWarnings = 5
}

extension RecordLayer {
    /// OpenSSL's object is still there, to read tickets.
    var waitsForTickets: Bool { tickets != nil }

    func move(to exchange: RecordExchange) {
        tickets?.attach(to: exchange)
        self.exchange = exchange
    }

    /// A read ended within a record.
    var holdsPartialRecord: Bool { partial != nil }
}

// MARK: Sealing

extension RecordLayer {
    /// Encrypts all of `plaintext` into `output` and returns how many bytes that made;
    /// the session's `sealCapacity(plaintextBytes:)` is enough room.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) throws(RecordFlaw) -> Int {
        // Safe: each record has as much room as the capacity counts for it, and the slices are within the plaintext.
        let limit = details.recordLimit
        let records = UInt64(truncatingIfNeeded: limit.records(for: plaintext.count))
        var used = 0
        if owesKeyUpdate || sending.sequence + records > recordsPerKey {
            used = unsafe try updateSendingKey(.notRequested, into: output)
        }
        var start = 0
        while start < plaintext.count {
            let end = min(start + limit.bytes, plaintext.count)
            let content = unsafe UnsafeRawBufferPointer(rebasing: plaintext[start..<end])
            used += unsafe try sending.seal(content, as: .applicationData, into: output + used)
            start = end
        }
        return used
    }

    /// Writes an alert, the last thing sent; 0 if one was sent before.
    func sealAlert(_ number: UInt8, into output: UnsafeMutableRawPointer) throws(RecordFlaw) -> Int {
        guard !isSendingOver else { return 0 }
        isSendingOver = true
        let alert: [2 of UInt8] = [number == 0 ? 1 : 2, number]
        // Safe: the bytes are used within the closure only, and there is room for a small record.
        return unsafe try alert.span.bytes.withUnsafeBytes { (bytes) throws(RecordFlaw) in
            unsafe try sending.seal(bytes, as: .alert, into: output)
        }
    }

    /// Announces the new key in a record under the old one.
    func updateSendingKey(
        _ request: KeyUpdateRequest, into output: UnsafeMutableRawPointer
    ) throws(RecordFlaw) -> Int {
        let message = request.message
        // Safe: the bytes are used within the closure only, and there is room for a small record.
        let count = unsafe try message.span.bytes.withUnsafeBytes { (bytes) throws(RecordFlaw) in
            unsafe try sending.seal(bytes, as: .handshake, into: output)
        }
        do throws(TLSFault) { try sending.update(exchange.ciphers) } catch { throw .fault(error) }
        owesKeyUpdate = false
        return count
    }
}
