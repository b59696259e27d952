/// Where a handshake stands after the bytes it was given.
public enum HandshakeOutcome: Hashable, Sendable {
    /// All input was used; more is needed.
    case wantsBytes
    /// Both sides are authenticated, as far as this side can know: in TLS 1.3 a client completes before the server has
    /// looked at the client's certificate. Input that was not consumed belongs to `TLSSession.open`.
    case complete
    /// The session is over; an alert for the peer, if one fits, is in the output.
    case failed(TLSFailure)
}
