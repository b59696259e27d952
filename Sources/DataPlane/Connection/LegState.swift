/// What the machine knows of one leg.
struct LegState: Equatable {
    /// It has a socket.
    var isOpen = false
    // In flight in the event loop:
    var isConnecting = false
    var isReceiving = false
    var isSending = false
    /// It will send us nothing more: FIN on a plaintext leg, close_notify or FIN on the peer's.
    var readEnded = false
    /// We will send it nothing more: FIN was sent.
    var writeEnded = false
    /// A send failed. What it had sent before may still be read.
    var writeFailed = false
    /// Buffers in its send queue.
    var queued: UInt16 = 0
    /// On closing, RST instead of FIN: the other side must not take the end for an orderly one.
    var resetsOnClose = false

    var isBusy: Bool { isConnecting || isReceiving || isSending }
    /// Nothing more can be sent to it.
    var isWriteOver: Bool { writeEnded || writeFailed }
    /// Nothing is left to send, or nobody to send it to.
    var isFlushed: Bool { !isOpen || isWriteOver || (queued == 0 && !isSending) }
}
