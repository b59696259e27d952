/// One socket of a connection: what it is to be sent, and what went through it.
struct SocketLeg {
    var descriptor: Int32 = -1
    var queue = SendQueue()
    /// A receive may find bytes at once.
    var holdsBytes = true
    /// Bytes of plaintext that came from it.
    var receivedBytes: UInt64 = 0
    /// Bytes of plaintext that it was sent; of a TLS leg, in buffers that were sent whole.
    var sentBytes: UInt64 = 0
}
