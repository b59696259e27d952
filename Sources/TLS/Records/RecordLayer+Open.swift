import COpenSSL

extension RecordLayer {
    /// The outcome of valid input.
    enum Opened { case open, closed }

    /// Decrypts the complete records of `input` into `buffer`, which has `TLSSession.openCapacity(inputBytes:)` of room
    /// behind `used`, and keeps the beginning of the next.
    func open(
        _ input: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ used: inout Int
    ) throws(RecordFlaw) -> Opened {
        // Safe: every slice is within the input, and each record's plaintext is shorter than the record.
        guard !isClosed else { return .closed }
        var rest = unsafe input
        var messagesLeft = Self.messagesPerRead
        if partial != nil {
            guard unsafe try partial!.complete(from: &rest) else { return .open }
            let record = partial.take()!
            unsafe try openRecord(record.bytes, into: buffer, &used, &messagesLeft)
        }
        while !isClosed, rest.count >= RecordFormat.headerBytes {
            let count = unsafe try RecordHeader(parsing: rest).recordBytes
            guard rest.count >= count else { break }
            unsafe try openRecord(UnsafeRawBufferPointer(rebasing: rest[..<count]), into: buffer, &used, &messagesLeft)
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        if hasTicket, tickets != nil { tickets = nil }
        try askForKeyWhenWorn()
        guard !isClosed else { return .closed }
        if rest.count > 0 { partial = unsafe PartialRecord(rest, exchange.blocks) }
        return .open
    }

    private func openRecord(
        _ record: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ used: inout Int,
        _ messagesLeft: inout Int
    ) throws(RecordFlaw) {
        precondition(buffer.count - used >= record.count - RecordFormat.headerBytes - RecordFormat.tagBytes)
        let target = unsafe buffer.baseAddress! + used
        let innerBytes = unsafe try receiving.open(record, into: target)
        let inner = unsafe try InnerPlaintext(parsing: UnsafeRawBufferPointer(start: target, count: innerBytes))
        let content = unsafe UnsafeRawBufferPointer(start: target, count: inner.contentBytes)
        guard !messages.isPartial || inner.type == .handshake else { throw .unexpectedMessage }
        switch inner.type {
        case .handshake: return unsafe try handshakeReceived(content, record, &messagesLeft)
        case .alert: unsafe try alertReceived(content)
        case .applicationData, .changeCipherSpec:
            used += inner.contentBytes
            emptyRecords = inner.contentBytes > 0 ? 0 : emptyRecords + 1
            guard emptyRecords <= Self.maximumEmptyRecords else { throw .tooManyEmptyRecords }
        }
        // OpenSSL has not seen this record, and could not read the next one.
        if tickets != nil { tickets = nil }
    }

    private func alertReceived(_ content: UnsafeRawBufferPointer) throws(RecordFlaw) {
        // RFC 8446, section 5.1: an alert is never empty.
        guard content.count > 0 else { throw .unexpectedMessage }
        guard content.count == 2 else { throw .malformedAlert }
        // Safe: the count was just checked. The level means nothing in TLS 1.3 (RFC 8446, section 6).
        switch unsafe content[1] {
        case Self.closeNotify: isClosed = true
        case Self.userCanceled:
            warnings += 1
            guard warnings <= Self.maximumWarnings else { throw .tooManyWarnings }
        case let number: throw .peerAlert(number)
        }
    }

    private func handshakeReceived(
        _ content: UnsafeRawBufferPointer, _ record: UnsafeRawBufferPointer, _ messagesLeft: inout Int
    ) throws(RecordFlaw) {
        let found = unsafe try messages.read(content)
        messagesLeft -= found.messages
        guard messagesLeft >= 0 else { throw .tooManyMessages }
        guard let request = found.keyUpdate else {
            guard messages.acceptsTickets, tickets != nil else { return }
            guard let session = unsafe try tickets!.read(record, exchange) else { return }
            hasTicket = true
            givenSession = session
            return
        }
        tickets = nil
        awaitsKeyUpdate = false
        if request == .requested { owesKeyUpdate = true }
        do throws(TLSFault) { try receiving.update(exchange.ciphers) } catch { throw .fault(error) }
    }

    /// Requests the peer's next key well before it has used up this one: not every peer keeps count itself.
    private func askForKeyWhenWorn() throws(RecordFlaw) {
        guard receiving.sequence >= recordsPerKey, !awaitsKeyUpdate, !isSendingOver else { return }
        awaitsKeyUpdate = true
        unsafe try exchange.reply { (room) throws(RecordFlaw) in unsafe try updateSendingKey(.requested, into: room) }
    }

    private static let closeNotify: UInt8 = 0
    private static let userCanceled: UInt8 = 90
}
