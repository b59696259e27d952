import COpenSSL
import Glibc
import Crypto

/// An HTTPS client for control traffic, over a connected socket.
public enum WebClient {
    /// Whom the client believes.
    public enum Trust: Sendable {
        /// Whoever has a certificate for the name, as browsers do, from the roots in a PEM file; nil: the system's.
        case web(authorities: String?)
        /// Everyone: it proves nothing that there is TLS.
        case anyone
    }

    /// Sends `request`, and passes the response to `receive` until that has enough or the server closes.
    ///
    /// Call it on a thread that may block; it ends when no time is left. The descriptor stays the caller's, and is
    /// non-blocking afterwards.
    ///
    /// - Parameters:
    ///   - remainingMilliseconds: how long the whole exchange may still take; asked before each wait and each read.
    ///   - receive: gets more bytes, or none at an orderly close.
    public static func exchange(
        _ descriptor: Int32, host: String, trust: Trust, request: [UInt8],
        remainingMilliseconds: () -> Int32, receive: ([UInt8]) -> Bool
    ) throws(WebClientFault) {
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        // OpenSSL's default library context: web certificates use more algorithms than SVIDs.
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .outOfMemory }
        // Safe, in all of this function: both objects live until it returns, and the descriptor is the caller's.
        defer { unsafe SSL_CTX_free(context) }
        unsafe _ = postern_ctx_set_min_version(context, TLS1_2_VERSION)
        // By default SSL_read goes on as long as a server sends messages without data.
        unsafe _ = SSL_CTX_ctrl(context, SSL_CTRL_CLEAR_MODE, Int(SSL_MODE_AUTO_RETRY), nil)
        try unsafe configure(context, trust)
        guard let ssl = unsafe SSL_new(context) else { throw .outOfMemory }
        defer { unsafe SSL_free(ssl) }
        if case .web = trust { try unsafe name(host, ssl) }
        guard unsafe SSL_set_fd(ssl, descriptor) == 1 else { throw .outOfMemory }
        // A server that sends a byte now and then would keep a blocking call busy for ever.
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw .connectionLost }
        func attempt(_ call: () -> Int32) -> Int32 {
            unsafe Self.attempt(ssl, descriptor, remainingMilliseconds, call)
        }
        guard attempt({ unsafe SSL_connect(ssl) }) == 1 else { throw unsafe failure(of: ssl) }
        guard attempt({ unsafe SSL_write(ssl, request, Int32(request.count)) }) == Int32(request.count) else {
            throw .connectionLost
        }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let room = Int32(buffer.count)
        // Asked also where nothing has to be waited for: a server may send without end.
        while remainingMilliseconds() > 0 {
            let count = attempt { unsafe SSL_read(ssl, &buffer, room) }
            if count > 0 {
                guard receive(Array(buffer[..<Int(count)])) else { return }
            } else {
                guard unsafe SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN else { throw .connectionLost }
                _ = receive([])
                return
            }
        }
        throw .connectionLost
    }

    private static func configure(_ context: OpaquePointer, _ trust: Trust) throws(WebClientFault) {
        guard case .web(let authorities) = trust else {
            return unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let loaded =
            if let authorities {
                unsafe SSL_CTX_load_verify_locations(context, authorities, nil)
            } else {
                unsafe SSL_CTX_set_default_verify_paths(context)
            }
        guard loaded == 1 else { throw .noAuthorities(path: authorities) }
    }

    /// Repeats the call until it need not wait or no time is left; returns the last result.
    private static func attempt(
        _ ssl: OpaquePointer, _ descriptor: Int32, _ remainingMilliseconds: () -> Int32, _ call: () -> Int32
    ) -> Int32 {
        while true {
            ErrorQueue.clear()
            let status = call()
            guard status <= 0 else { return status }
            let events: Int32
            switch unsafe SSL_get_error(ssl, status) {
            case SSL_ERROR_WANT_READ: events = POLLIN
            case SSL_ERROR_WANT_WRITE: events = POLLOUT
            default: return status
            }
            let remaining = remainingMilliseconds()
            var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            // Safe: one entry, which outlives the call.
            guard remaining > 0, unsafe poll(&request, 1, remaining) > 0 else { return status }
        }
    }

    /// Has the server's certificate checked for `host`, a name or an IP address.
    private static func name(_ host: String, _ ssl: OpaquePointer) throws(WebClientFault) {
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return }
        ErrorQueue.clear()
        guard unsafe SSL_set1_host(ssl, host) == 1, unsafe postern_ssl_set_server_name(ssl, host) == 1 else {
            throw .badName(host)
        }
    }

    private static func failure(of ssl: OpaquePointer) -> WebClientFault {
        let verdict = unsafe SSL_get_verify_result(ssl)
        guard verdict != Int(X509_V_OK) else { return .handshakeFailed }
        // A static text of the library.
        return .certificateRefused(unsafe String(cString: X509_verify_cert_error_string(verdict)))
    }
}

/// Why an exchange over HTTPS failed.
public enum WebClientFault: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfMemory
    case noAuthorities(path: String?)
    case badName(String)
    case certificateRefused(String)
    case handshakeFailed
    /// The connection was lost, or took too long.
    case connectionLost

    public var description: String {
        switch self {
        case .outOfMemory: "out of memory in OpenSSL"
        case .noAuthorities(let path): "there are no usable certificates in \(path ?? "the system's store")"
        case .badName(let name): "\"\(name)\" is not a valid host name or IP address"
        case .certificateRefused(let reason): "the server's certificate is refused: \(reason)"
        case .handshakeFailed: "the TLS handshake failed"
        case .connectionLost: "the connection broke off or took too long"
        }
    }
}
