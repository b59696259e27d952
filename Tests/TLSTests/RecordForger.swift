import COpenSSL

@testable import TLS
import TLSTesting

/// A peer that has the keys and may put anything into a record.
struct RecordForger: ~Copyable {
    private let cipher: RecordCipher
    private let ciphers: RecordCiphers
    private var secret: SecretBytes
    private var sequence: UInt64 = 0

    init(_ cipher: RecordCipher, secretByte: UInt8, _ ciphers: RecordCiphers) {
        self.cipher = cipher
        self.ciphers = ciphers
        secret = SecretBytes(cipher, secretByte)
    }

    /// A record with these bytes under its protection: content, type and padding.
    mutating func record(_ inner: [UInt8]) throws -> [UInt8] {
        // Safe, in all of this function: the arrays have the room that the calls need.
        let key = try ciphers.expand(secret, "key", cipher, bytes: cipher.keyBytes)
        let iv = try ciphers.expand(secret, "iv", cipher, bytes: 12)
        var nonce = unsafe Array(iv.bytes)
        for index in 0..<8 { nonce[11 - index] ^= UInt8(truncatingIfNeeded: sequence >> UInt64(index * 8)) }
        sequence += 1
        let count = inner.count + 16
        let header: [UInt8] = [23, 3, 3, UInt8(count >> 8), UInt8(count & 255)]
        var body = [UInt8](repeating: 0, count: count + 32)
        var tag = [UInt8](repeating: 0, count: 16)
        var done: Int32 = 0
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let keyBytes = unsafe key.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let algorithm = unsafe EVP_CIPHER_fetch(nil, cipher.algorithm, nil)
        defer { unsafe EVP_CIPHER_free(algorithm) }
        unsafe EVP_EncryptInit_ex(context, algorithm, nil, keyBytes, nonce)
        unsafe EVP_EncryptUpdate(context, nil, &done, header, 5)
        unsafe EVP_EncryptUpdate(context, &body, &done, inner, Int32(inner.count))
        var last: Int32 = 0
        unsafe EVP_EncryptFinal_ex(context, &body, &last)
        unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag)
        return header + body[..<inner.count] + tag
    }

    /// A record of `content`, with its type and `padding` zeros behind it.
    mutating func record(_ content: [UInt8], _ type: RecordContentType, padding: Int = 0) throws -> [UInt8] {
        try record(content + [type.rawValue] + [UInt8](repeating: 0, count: padding))
    }

    /// Announces the next key, and uses it.
    mutating func keyUpdate(requestingAnswer: Bool) throws -> [UInt8] {
        let message = try record([24, 0, 0, 1, requestingAnswer ? 1 : 0], .handshake)
        secret = try ciphers.expand(secret, "traffic upd", cipher, bytes: cipher.secretBytes)
        sequence = 0
        return message
    }
}

extension SecretBytes {
    /// As many of one byte as the cipher's secrets have.
    init(_ cipher: RecordCipher, _ byte: UInt8) {
        self.init(count: cipher.secretBytes)
        for index in 0..<count { unsafe mutableBytes[index] = byte }
    }
}

/// One end of a connection whose secrets are known, with no handshake before it.
struct RecordEnd {
    let layer: RecordLayer
    let exchange: RecordExchange

    init(
        _ cipher: RecordCipher = .aes128GCM, sendingByte: UInt8 = 1, receivingByte: UInt8 = 2,
        acceptsTickets: Bool = false
    ) throws {
        exchange = try RecordExchange()
        let details = NegotiatedDetails(
            cipher: cipher, keyExchange: nil, resumed: false, serverName: nil, applicationProtocol: nil, session: nil,
            recordLimit: .whole
        )
        layer = RecordLayer(
            details,
            sending: try TrafficKey(
                .sealing, cipher, SecretBytes(cipher, sendingByte), sequence: 0, exchange.ciphers),
            receiving: try TrafficKey(
                .opening, cipher, SecretBytes(cipher, receivingByte), sequence: 0, exchange.ciphers),
            acceptsTickets: acceptsTickets, tickets: nil, exchange)
    }

    /// A peer whose records this end can read.
    func forger(_ receivingByte: UInt8 = 2) -> RecordForger {
        RecordForger(layer.details.cipher, secretByte: receivingByte, exchange.ciphers)
    }

    /// The result of these bytes: the plaintext up to a flaw, and the flaw.
    func open(_ bytes: [UInt8]) -> (plaintext: [UInt8], flaw: RecordFlaw?) {
        var found: RecordFlaw?
        exchange.forgetReplies()
        let plaintext = written(TLSSession.openCapacity(inputBytes: bytes.count)) { output in
            // Safe: the pointers live for the closures.
            unsafe output.withUnsafeMutableBytes { buffer, count in
                found = flaw { () throws(RecordFlaw) in
                    unsafe try over(bytes) { (bytes) throws(RecordFlaw) in
                        unsafe _ = try layer.open(bytes, into: buffer, &count)
                    }
                }
            }
        }
        return (plaintext, found)
    }

    func seal(_ bytes: [UInt8]) throws -> [UInt8] {
        var found: RecordFlaw?
        let records = written(TLSSession.sealCapacity(plaintextBytes: bytes.count)) { output in
            // Safe: the pointers live for the closures.
            unsafe output.withUnsafeMutableBytes { buffer, count in
                found = flaw { () throws(RecordFlaw) in
                    count = unsafe try over(bytes) { (bytes) throws(RecordFlaw) in
                        unsafe try layer.seal(bytes, into: buffer.baseAddress!)
                    }
                }
            }
        }
        if let found { throw found }
        return records
    }

    var replies: [UInt8] {
        // Safe: the bytes are copied at once.
        let replies = exchange.replies
        return unsafe replies.withUnsafeBytes { unsafe Array($0) }
    }
}
