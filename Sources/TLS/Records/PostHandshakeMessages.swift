/// Parses post-handshake messages (RFC 8446, section 4.6), however records split them.
///
/// Keeps nothing of a message but its header and how many bytes of it are missing.
struct PostHandshakeMessages {
    /// What one record contained.
    struct Found: Equatable {
        /// Messages that began in it.
        var messages = 0
        /// A key update ended in it; the peer's next record is under its next key.
        var keyUpdate: KeyUpdateRequest?
    }

    /// Only servers send tickets.
    let acceptsTickets: Bool
    private var type: UInt8 = 0
    private var headerBytes = 0
    private var bodyBytes = 0
    private var bodyLeft = 0

    init(acceptsTickets: Bool) { self.acceptsTickets = acceptsTickets }

    /// The last record ended within a message.
    var isPartial: Bool { headerBytes > 0 }

    /// Reads the content of one record of handshake messages.
    mutating func read(_ content: UnsafeRawBufferPointer) throws(RecordFlaw) -> Found {
        guard content.count > 0 else { throw .unexpectedMessage }
        var found = Found()
        var cursor = 0
        while cursor < content.count {
            // Safe: `cursor` is below the count.
            if headerBytes < 4 {
                try readHeader(unsafe content[cursor], &found)
                cursor += 1
            } else if type == Self.keyUpdate {
                guard let request = unsafe KeyUpdateRequest(rawValue: content[cursor]) else { throw .illegalKeyUpdate }
                guard cursor + 1 == content.count else { throw .keyUpdateNotLast }
                found.keyUpdate = request
                cursor += 1
                bodyLeft = 0
            } else {
                let taken = min(bodyLeft, content.count - cursor)
                cursor += taken
                bodyLeft -= taken
            }
            if headerBytes == 4, bodyLeft == 0 { headerBytes = 0 }
        }
        return found
    }

    private mutating func readHeader(_ byte: UInt8, _ found: inout Found) throws(RecordFlaw) {
        if headerBytes == 0 {
            guard byte == Self.keyUpdate || byte == Self.newSessionTicket && acceptsTickets else {
                throw .unexpectedMessage
            }
            found.messages += 1
            type = byte
            bodyBytes = 0
        } else {
            bodyBytes = bodyBytes << 8 | Int(byte)
        }
        headerBytes += 1
        guard headerBytes == 4 else { return }
        if type == Self.keyUpdate {
            guard bodyBytes == 1 else { throw .malformedKeyUpdate }
        } else {
            guard bodyBytes <= Self.maximumTicketBytes else { throw .messageTooLarge }
            guard bodyBytes > 0 else { throw .malformedTicket }
        }
        bodyLeft = bodyBytes
    }

    private static let newSessionTicket: UInt8 = 4
    private static let keyUpdate: UInt8 = 24
    static let maximumTicketBytes = 16_384
}

/// Whether a key update asks the other side to update its own key too (RFC 8446, section 4.6.3).
enum KeyUpdateRequest: UInt8 {
    case notRequested = 0
    case requested = 1

    /// The whole message.
    var message: [5 of UInt8] { [24, 0, 0, 1, rawValue] }
}
