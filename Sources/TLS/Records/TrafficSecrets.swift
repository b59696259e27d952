import COpenSSL

/// The secrets that application data is protected with in either direction, as far as they are known (RFC 8446,
/// section 7.1).
struct TrafficSecrets: ~Copyable {
    var client: SecretBytes?
    var server: SecretBytes?

    /// Makes `context` deliver each connection's secrets to the window of its SSL.
    ///
    /// The key log callback is OpenSSL's only access to them. Nothing is written anywhere.
    static func install(on context: OpaquePointer) {
        // Safe: the context is alive; the callback finds its window by the SSL.
        unsafe SSL_CTX_set_keylog_callback(context, takeSecret)
    }

    /// Moves the secrets out of `other`.
    mutating func take(from other: inout TrafficSecrets) {
        if let secret = other.client.take() { client = consume secret }
        if let secret = other.server.take() { server = consume secret }
    }
}

/// A line of a key log that holds a secret of application data: a label, the client's random bytes, the secret.
struct KeyLogLine: Equatable {
    enum Sender { case client, server }

    let sender: Sender
    /// Where in the line the secret's hexadecimal digits are.
    let secret: Range<Int>

    /// Nil for every other line.
    init?(parsing line: UnsafeRawBufferPointer) {
        // Safe: the slices are within the line.
        if unsafe Self.begins(line, Self.clientLabel) {
            sender = .client
        } else if unsafe Self.begins(line, Self.serverLabel) {
            sender = .server
        } else {
            return nil
        }
        let start = Self.clientLabel.utf8CodeUnitCount + Self.randomDigits + 1
        guard line.count == start + 64 || line.count == start + 96,
            unsafe line[start - 1] == UInt8(ascii: " ")
        else { return nil }
        secret = start..<line.count
    }

    private static func begins(_ line: UnsafeRawBufferPointer, _ label: StaticString) -> Bool {
        // Safe: a static string's bytes live forever.
        let bytes = unsafe UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount)
        return unsafe line.starts(with: bytes)
    }

    private static let clientLabel: StaticString = "CLIENT_TRAFFIC_SECRET_0 "
    private static let serverLabel: StaticString = "SERVER_TRAFFIC_SECRET_0 "
    private static let randomDigits = 64
}

private func takeSecret(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    // Safe: OpenSSL passes the SSL in handshake, which has a window meanwhile, and a terminated line.
    guard let ssl = unsafe ssl, let line = unsafe line else { return }
    let bytes = unsafe UnsafeRawBufferPointer(start: line, count: OPENSSL_strnlen(line, 512))
    guard let found = unsafe KeyLogLine(parsing: bytes) else { return }
    let window = unsafe RecordBIO.window(of: ssl)
    let secret = unsafe SecretBytes(hex: UnsafeRawBufferPointer(rebasing: bytes[found.secret]))
    switch found.sender {
    case .client: unsafe window.pointee.findings.secrets.client = secret
    case .server: unsafe window.pointee.findings.secrets.server = secret
    }
}
