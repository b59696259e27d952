/// Why the record layer cannot continue (RFC 8446, sections 5 and 6).
enum RecordFlaw: Error, Hashable {
    /// Neither application data, nor an alert, nor a handshake message; or nothing but padding.
    case unexpectedRecordType
    case tooLong
    /// The tag does not verify.
    case notAuthentic
    case tooManyEmptyRecords
    case malformedAlert
    case tooManyWarnings
    /// A handshake message that is not allowed after the handshake, or another record in the middle of one.
    case unexpectedMessage
    case messageTooLarge
    case malformedKeyUpdate
    /// A key update with an undefined request value.
    case illegalKeyUpdate
    /// A key update followed by bytes under the old key.
    case keyUpdateNotLast
    /// More messages in one read than a compliant peer sends.
    case tooManyMessages
    case malformedTicket
    /// The peer sent this fatal alert.
    case peerAlert(UInt8)
    case fault(TLSFault)

    /// The alert to send to the peer; nil if none is due.
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
