/// What became of bytes to send.
public enum SealOutcome: Hashable, Sendable {
    /// All of the plaintext is in the output, encrypted.
    case sealed
    /// The session is over; nothing was sealed.
    case failed(TLSFailure)
}
