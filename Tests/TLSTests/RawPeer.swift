import COpenSSL
import Authority

@testable import TLS
@testable import Crypto
import TLSTesting

/// OpenSSL on its own, over memory BIOs: a foreign peer that can be made to misbehave.
@safe
struct RawPeer: ~Copyable {
    /// An SSL_CTX that is being made.
    @safe
    struct Context {
        let pointer: OpaquePointer
    }

    private let context: OpaquePointer
    let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Parameter configure: changes the context before the connection is made.
    init(
        server: Bool = false, certificate: IssuedCertificate? = nil, _ configure: (Context) -> Void = { _ in }
    ) throws {
        // Safe, in all of this type: it owns the context and the SSL, and the SSL owns the BIOs.
        let context = unsafe SSL_CTX_new(TLS_method())!
        unsafe SSL_CTX_set_security_level(context, 0)
        if let certificate {
            let chain = try CertificateStack(parsing: certificate.chainDER)
            var der = certificate.key.pkcs8DER
            let key = try PrivateKeyBytes(consuming: &der).makeKey()
            unsafe SSL_CTX_use_certificate(context, chain[0].pointer)
            unsafe SSL_CTX_use_PrivateKey(context, key.pointer)
            for index in 1..<max(1, chain.count) {
                unsafe _ = postern_ctx_add_chain(context, chain[index].pointer)
            }
        }
        if server { unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, { _, _ in 1 }) }
        unsafe configure(Context(pointer: context))
        let ssl = unsafe SSL_new(context)!
        let incoming = unsafe BIO_new(BIO_s_mem())!
        let outgoing = unsafe BIO_new(BIO_s_mem())!
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        unsafe server ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl)
        unsafe self.context = context
        unsafe self.ssl = ssl
        unsafe self.incoming = incoming
        unsafe self.outgoing = outgoing
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    func feed(_ bytes: [UInt8]) { unsafe _ = BIO_write(incoming, bytes, Int32(bytes.count)) }

    /// Its output.
    func take() -> [UInt8] {
        let count = unsafe BIO_ctrl_pending(outgoing)
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe _ = BIO_read(outgoing, &bytes, Int32(count))
        return bytes
    }

    func handshake() -> Bool {
        defer { ERR_clear_error() }
        return unsafe SSL_do_handshake(ssl) == 1
    }

    func write(_ bytes: [UInt8]) { unsafe _ = SSL_write(ssl, bytes, Int32(bytes.count)) }

    /// All plaintext that has arrived, and how reading ended.
    func read() -> (bytes: [UInt8], error: Int32) {
        defer { ERR_clear_error() }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe SSL_read(ssl, &chunk, Int32(chunk.count))
            guard count > 0 else { return unsafe (all, SSL_get_error(ssl, count)) }
            all += chunk[..<Int(count)]
        }
    }

    func updateKeys(requestingAnswer: Bool) {
        unsafe _ = SSL_key_update(ssl, requestingAnswer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
        unsafe _ = SSL_do_handshake(ssl)
    }

    func closeNotify() { unsafe _ = SSL_shutdown(ssl) }
}

extension RawPeer {
    /// Runs the handshake with one of our ends until neither has more to send.
    func handshake(with end: inout End) {
        if case .dialling = end.session.context.role { feed(end.handshake()) }
        while true {
            _ = handshake()
            let bytes = take()
            guard !bytes.isEmpty else { return }
            end.inbox += bytes
            if end.outcome == .wantsBytes { feed(end.handshake()) }
            if end.outcome == .complete, !end.inbox.isEmpty { feed(end.open()) }
        }
    }
}
