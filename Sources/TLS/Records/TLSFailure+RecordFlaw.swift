import COpenSSL

extension TLSFailure {
    /// The failure that a record flaw stands for; the reasons are those that OpenSSL would have given.
    init(_ flaw: RecordFlaw) {
        self =
            switch flaw {
            case .unexpectedRecordType, .tooLong, .notAuthentic: .misbehaved(.badRecord)
            case .tooManyEmptyRecords: .misbehaved(.violation(reason: SSL_R_RECORD_TOO_SMALL))
            case .malformedAlert: .misbehaved(.violation(reason: SSL_R_INVALID_ALERT))
            case .tooManyWarnings: .misbehaved(.violation(reason: SSL_R_TOO_MANY_WARN_ALERTS))
            case .unexpectedMessage: .misbehaved(.unexpectedMessage)
            case .messageTooLarge: .misbehaved(.messageTooLarge)
            case .malformedKeyUpdate, .illegalKeyUpdate: .misbehaved(.violation(reason: SSL_R_BAD_KEY_UPDATE))
            case .keyUpdateNotLast: .misbehaved(.violation(reason: SSL_R_NOT_ON_RECORD_BOUNDARY))
            case .tooManyMessages: .misbehaved(.tooManyRequests)
            case .malformedTicket: .misbehaved(.violation(reason: SSL_R_LENGTH_MISMATCH))
            case .peerAlert(let number): .peerAlert(number)
            case .fault(let fault): .fault(fault)
            }
    }
}
