/// What the machine knows of one leg.
struct LegState: Equatable {
    /// It has a socket.
    var isOpen = false
    // In flight in the event loop:
    var isConnecting = false
    var isReceiving = false
    var isSending = false
    /// It sends nothing more: FIN on a plaintext leg, close_notify or FIN on the peer's.
    var readEnded = false
    /// We send nothing more: FIN was sent.
    var writeEnded = false
    /// A send failed. What it had sent before may still be read.
    var writeFailed = false
    /// Buffers in its send queue.
    var queued: UInt16 = 0
    /// On closing, RST instead of FIN: the other side must not take it for an orderly close.
    var resetsOnClose = false

    var isBusy: Bool { isConnecting || isReceiving || isSending }
    /// Whether nothing more can be sent to it.
    var isWriteOver: Bool { writeEnded || writeFailed }
    /// Whether nothing is left to send, or nobody is left to send it to.
    var isFlushed: Bool { !isOpen || isWriteOver || (queued == 0 && !isSending) }
}
