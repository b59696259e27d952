import COpenSSL

/// The way to a fatal access_denied alert after the handshake, which OpenSSL's interface does not offer.
///
/// A custom extension of the NewSessionTicket message may fail with an alert of its choice. `TLSSession.refuse` asks
/// for a ticket, and the extension below then refuses to be written. It is never sent.
enum AccessDeniedAlert {
    static func install(on context: TLSContext) throws(TLSFault) {
        // Safe: the context is alive, and the callback needs no argument.
        let status = unsafe SSL_CTX_add_custom_ext(
            context.pointer, extensionNumber, UInt32(SSL_EXT_TLS1_3_ONLY | SSL_EXT_TLS1_3_NEW_SESSION_TICKET),
            denyWhenRefusing, nil, nil, nil, nil)
        guard status == 1 else { throw ErrorQueue.fault("SSL_CTX_add_custom_ext") }
    }

    /// From the range for private use (RFC 8447, section 7).
    private static let extensionNumber: UInt32 = 0xff49
}

private func denyWhenRefusing(
    _ ssl: OpaquePointer?, _ number: UInt32, _ context: UInt32,
    _ bytes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ count: UnsafeMutablePointer<Int>?,
    _ certificate: OpaquePointer?, _ chainIndex: Int, _ alert: UnsafeMutablePointer<Int32>?,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: OpenSSL passes the SSL that writes the message and room for an alert; the SSL has a window.
    guard let ssl = unsafe ssl, unsafe RecordBIO.window(of: ssl).pointee.refusesPeer else { return 0 }
    unsafe alert?.pointee = SSL_AD_ACCESS_DENIED
    return -1
}
