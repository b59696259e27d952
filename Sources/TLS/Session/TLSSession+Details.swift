import COpenSSL

/// What was negotiated, for routing and for the access log; meaningful once the handshake is complete.
extension TLSSession {
    public var version: TLSVersion {
        guard records == nil else { return .tls13 }
        // Safe, here and below: the SSL is alive, and what it returns is copied at once.
        return unsafe SSL_version(ssl) == TLS1_2_VERSION ? .tls12 : .tls13
    }

    /// The suite's registered name: "TLS_AES_128_GCM_SHA256".
    public var cipher: String {
        if let records { return records.details.cipher.name }
        guard let cipher = unsafe SSL_get_current_cipher(ssl), let name = unsafe SSL_CIPHER_standard_name(cipher) else {
            return ""
        }
        return unsafe String(cString: name)
    }

    /// The group of this connection's key exchange, which a resumed session has too.
    public var keyExchange: KeyExchangeGroup? {
        if let records { return records.details.keyExchange }
        return unsafe KeyExchangeGroup(agreedBy: ssl)
    }

    /// Whether the session was resumed, without certificates.
    public var resumed: Bool { records?.details.resumed ?? (unsafe SSL_session_reused(ssl) == 1) }

    /// Whether it was made by this context.
    public func belongs(to context: TLSContext) -> Bool { self.context === context }

    /// The name that the client asked for (SNI), in lower case, without a final dot; nil if it sent none.
    public var serverName: String? {
        switch context.role {
        case .dialling(let serverName): return serverName
        case .accepting:
            if let records { return records.details.serverName }
            guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
            return ServerName.parse(unsafe String(cString: name).utf8)
        }
    }

    /// The protocol that both sides agreed on (ALPN).
    public var applicationProtocol: String? {
        if let records { return records.details.applicationProtocol }
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard count > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }
}
