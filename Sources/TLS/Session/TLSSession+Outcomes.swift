/// The state of a handshake after its input.
public enum HandshakeOutcome: Hashable, Sendable {
    /// All input was used; more is needed.
    case wantsBytes
    /// Both sides are authenticated, as far as this side can know: in TLS 1.3 a client completes before the server has
    /// verified the client's certificate. Input that was not consumed belongs to `TLSSession.open`.
    case complete
    /// The session is over; an alert for the peer, if one fits, is in the output.
    case failed(TLSFailure)
}

/// The outcome of decrypting received bytes.
public enum OpenOutcome: Hashable, Sendable {
    /// All complete records are decrypted.
    case open
    /// The peer sent close_notify: no more plaintext will come. Sending still works.
    case closed
    /// The session is over; an alert for the peer, if one fits, is in `RecordExchange.replies`.
    case failed(TLSFailure)
}

/// The outcome of encrypting bytes to send.
public enum SealOutcome: Hashable, Sendable {
    /// All of the plaintext is in the output, encrypted.
    case sealed
    /// The session is over; nothing was sealed.
    case failed(TLSFailure)
}
