/// One socket of a connection: what is queued for it, and what went through it.
struct SocketLeg {
    var descriptor: Int32 = -1
    var queue = SendQueue()
    /// A receive may find bytes at once.
    var holdsBytes = true
    /// Plaintext bytes received from it.
    var receivedBytes: UInt64 = 0
    /// Plaintext bytes sent to it; on a TLS leg, those in completely sent buffers.
    var sentBytes: UInt64 = 0
}
