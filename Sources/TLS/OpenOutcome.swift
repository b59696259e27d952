/// What became of received bytes.
public enum OpenOutcome: Hashable, Sendable {
    /// All complete records are decrypted.
    case open
    /// The peer said close_notify: no more plaintext will come. Sending still works.
    case closed
    /// The session is over; an alert for the peer, if one fits, is in `RecordExchange.replies`.
    case failed(TLSFailure)
}
