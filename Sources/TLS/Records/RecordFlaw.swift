/// Why protected records cannot go on (RFC 8446, sections 5 and 6).
enum RecordFlaw: Error, Hashable {
    /// Neither application data, nor an alert, nor a handshake message; or nothing but padding.
    case unexpectedRecordType
    case tooLong
    /// The tag does not verify.
    case notAuthentic
    case tooManyEmptyRecords
    case malformedAlert
    case tooManyWarnings
    /// A handshake message that has no place after the handshake, or another record in the middle of one.
    case unexpectedMessage
    case messageTooLarge
    case malformedKeyUpdate
    /// A key update that asks for neither of the two things that it can ask for.
    case illegalKeyUpdate
    /// A key update with bytes behind it that are under the old key.
    case keyUpdateNotLast
    /// More messages in one read than an honest peer sends.
    case tooManyMessages
    case malformedTicket
    /// The peer gave up with this alert.
    case peerAlert(UInt8)
    case fault(TLSFault)

    /// The alert that the peer is sent; nil when it is owed none.
    var alert: UInt8? {
        switch self {
        case .unexpectedRecordType, .tooManyEmptyRecords, .tooManyWarnings, .unexpectedMessage, .keyUpdateNotLast,
            .tooManyMessages:
            10
        case .notAuthentic: 20
        case .tooLong: 22
        case .messageTooLarge, .illegalKeyUpdate: 47
        case .malformedAlert, .malformedKeyUpdate, .malformedTicket: 50
        case .peerAlert: nil
        case .fault: 80
        }
    }
}
