import COpenSSL

/// Counts the handshake messages that a peer sends, and takes the rest of its bytes away once they are too many, so
/// that one read of key updates cannot hold up a worker.
func countMessage(
    _ sent: Int32, _ version: Int32, _ contentType: Int32, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
    // Safe: OpenSSL passes the SSL that reads; it has a window while it does.
    guard sent == 0, contentType == SSL3_RT_HANDSHAKE, let ssl = unsafe ssl else { return }
    let window = unsafe RecordBIO.window(of: ssl)
    unsafe window.pointee.findings.receivedMessages += 1
    guard unsafe window.pointee.findings.receivedMessages > window.pointee.receivedMessagesLimit else { return }
    unsafe window.pointee.inputLeftBytes = 0
}
