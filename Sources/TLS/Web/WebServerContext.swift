import COpenSSL
public import Crypto

/// What the connections of an HTTPS server share: certificate, key, and whom it takes for a client.
///
/// TLS 1.2 and 1.3, HTTP/1.1 by ALPN, no resumption. A connection keeps the context that it began with.
///
/// Sendable by hand: nothing configures an SSL_CTX after `init`, and OpenSSL counts its references atomically.
@safe
public final class WebServerContext: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let protocols: ApplicationProtocols

    /// - Parameters:
    ///   - chain: leaf first.
    ///   - clientAuthorities: whose certificates clients must have; empty: nobody is asked for one.
    public init(
        chain: CertificateStack, key: borrowing PrivateKey, clientAuthorities: CertificateStack?
    ) throws(TLSFault) {
        ErrorQueue.clear()
        let library = try TLSFault.translating { () throws(CryptoFault) in try CryptoLibrary.shared() }
        guard let context = unsafe SSL_CTX_new_ex(library.pointer, nil, TLS_server_method()) else {
            throw .crypto(ErrorQueue.fault("SSL_CTX_new_ex"))
        }
        unsafe pointer = context
        protocols = try ApplicationProtocols(["http/1.1"])
        // Safe, in all of this: the context is alive as long as this object.
        try unsafe Self.check(postern_ctx_set_min_version(context, TLS1_2_VERSION), "SSL_CTX_set_min_proto_version")
        unsafe SSL_CTX_set_security_level(context, ChainBuilder.securityLevel)
        try unsafe Self.check(SSL_CTX_set_cipher_list(context, Self.ciphersOfTLS12), "SSL_CTX_set_cipher_list")
        let groups = try KeyExchangeList(KeyExchangeGroup.preferred)
        try unsafe Self.check(postern_ctx_set_groups(context, groups.text), "SSL_CTX_set1_groups_list")
        unsafe SSL_CTX_set_options(
            context, postern_op_no_renegotiation | postern_op_no_compression | postern_op_no_ticket)
        unsafe postern_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        try unsafe Self.check(SSL_CTX_set_num_tickets(context, 0), "SSL_CTX_set_num_tickets")
        unsafe postern_ctx_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        unsafe postern_ctx_set_max_cert_list(context, Self.maximumChainMessageBytes)
        guard chain.count > 0 else { throw .crypto(.notPEM(expected: "a certificate")) }
        try unsafe Self.check(SSL_CTX_use_certificate(context, chain[0].pointer), "SSL_CTX_use_certificate")
        for index in 1..<max(1, chain.count) {
            try unsafe Self.check(postern_ctx_add_chain(context, chain[index].pointer), "SSL_CTX_add1_chain_cert")
        }
        try unsafe Self.check(SSL_CTX_use_PrivateKey(context, key.pointer), "SSL_CTX_use_PrivateKey")
        unsafe SSL_CTX_set_alpn_select_cb(
            context, selectApplicationProtocol, Unmanaged.passUnretained(protocols).toOpaque())
        guard let clientAuthorities else { return }
        let store = unsafe SSL_CTX_get_cert_store(context)
        for index in 0..<clientAuthorities.count {
            try unsafe Self.check(
                X509_STORE_add_cert(store, clientAuthorities[index].pointer), "X509_STORE_add_cert")
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// An `SSL` for one accepted connection, which the caller owns and which keeps what it needs of this object; nil
    /// without memory.
    package func makeSession() -> OpaquePointer? {
        ErrorQueue.clear()
        guard let session = unsafe SSL_new(pointer) else { return nil }
        // The callback's argument belongs to this object, which must not go before its last handshake.
        guard unsafe SSL_set_ex_data(session, Self.contextIndex, Unmanaged.passRetained(self).toOpaque()) == 1 else {
            unsafe Unmanaged.passUnretained(self).release()
            unsafe SSL_free(session)
            return nil
        }
        return unsafe session
    }

    /// Whether the handshake of a live `SSL` has ended well.
    package static func isEstablished(_ session: OpaquePointer) -> Bool { unsafe SSL_is_init_finished(session) == 1 }

    /// The certificate that the client of a live `SSL` has proven to have.
    package static func clientCertificate(of session: OpaquePointer) -> Certificate? {
        // Safe: borrowed from the session, and given an owner of its own.
        unsafe SSL_get0_peer_certificate(session).map { unsafe Certificate(retaining: $0) }
    }

    deinit {
        // Safe: sessions hold references of their own.
        unsafe SSL_CTX_free(pointer)
    }

    private static func check(_ status: Int32, _ call: String) throws(TLSFault) {
        guard status == 1 else { throw .crypto(ErrorQueue.fault(call)) }
    }

    /// Where a session keeps its reference to the context object.
    private static let contextIndex = unsafe CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_SSL, 0, nil, nil, nil,
        { _, context, _, _, _, _ in
            guard let context = unsafe context else { return }
            unsafe Unmanaged<WebServerContext>.fromOpaque(context).release()
        })
    private static let ciphersOfTLS12 = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
        ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
    private static let maximumChainMessageBytes = 64 * 1024
}
