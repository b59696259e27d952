import COpenSSL
import Crypto

/// The protection of one direction's records: a key, its nonces, and the secret that the next key is derived from.
@safe
struct TrafficKey: ~Copyable {
    enum Use { case sealing, opening }

    private let aead: AEAD
    private let state: UnsafeMutableRawPointer
    private let use: Use
    private let cipher: RecordCipher
    private var secret: SecretBytes
    private var nonces: RecordNonces

    /// - Parameters:
    ///   - secret: of the cipher's `secretBytes`.
    ///   - sequence: how many records were protected with this key before.
    init(
        _ use: Use, _ cipher: RecordCipher, _ secret: consuming SecretBytes, sequence: UInt64,
        _ ciphers: RecordCiphers
    ) throws(TLSFault) {
        precondition(secret.count == cipher.secretBytes)
        ErrorQueue.clear()
        let iv = try ciphers.expand(secret, "iv", cipher, bytes: RecordFormat.nonceBytes)
        let key = try ciphers.expand(secret, "key", cipher, bytes: cipher.keyBytes)
        guard let aead = ciphers[cipher] else { throw .crypto(.missingAlgorithm(cipher.algorithm)) }
        // Safe, in all of this type: it owns the state, and the key has as many bytes as the cipher reads.
        let state = unsafe try aead.makeState()
        guard unsafe aead.setKey(key.bytes, of: state, use) else {
            unsafe aead.free(state)
            throw .crypto(ErrorQueue.fault("the cipher's init"))
        }
        self.aead = aead
        unsafe self.state = unsafe state
        self.use = use
        self.cipher = cipher
        self.secret = secret
        unsafe nonces = RecordNonces(iv: iv.bytes, sequence: sequence)
    }

    /// How many records the key has protected.
    var sequence: UInt64 { nonces.sequence }

    /// Switches to the next key (RFC 8446, section 7.2).
    mutating func update(_ ciphers: RecordCiphers) throws(TLSFault) {
        secret = try ciphers.expand(secret, "traffic upd", cipher, bytes: cipher.secretBytes)
        let iv = try ciphers.expand(secret, "iv", cipher, bytes: RecordFormat.nonceBytes)
        let key = try ciphers.expand(secret, "key", cipher, bytes: cipher.keyBytes)
        unsafe nonces = RecordNonces(iv: iv.bytes)
        guard unsafe aead.setKey(key.bytes, of: state, use) else {
            throw .crypto(ErrorQueue.fault("the cipher's init"))
        }
    }

    /// Writes one record and returns its size: `content` and `RecordFormat.overheadBytes`, for which there is room.
    mutating func seal(
        _ content: UnsafeRawBufferPointer, as type: RecordContentType, into target: UnsafeMutableRawPointer
    ) throws(RecordFlaw) -> Int {
        precondition(content.count <= RecordFormat.contentBytes)
        let innerBytes = content.count + 1
        let header = unsafe target.assumingMemoryBound(to: UInt8.self)
        let body = unsafe header + RecordFormat.headerBytes
        unsafe RecordHeader.store(bodyBytes: innerBytes + RecordFormat.tagBytes, at: header)
        var nonce = try nonces.next()
        let isSealed =
            unsafe withUnsafeBytes(of: &nonce) { unsafe aead.beginSealing(state, $0) }
            && aead.authenticate(state, header, RecordFormat.headerBytes)
            && encrypt(content, type.rawValue, into: body)
            && aead.finish(state, body + innerBytes) && aead.writeTag(state, to: body + innerBytes)
        guard isSealed else { throw .fault(.crypto(ErrorQueue.fault("the cipher's update"))) }
        return content.count + RecordFormat.overheadBytes
    }

    /// Encrypts the content and the type behind it.
    @inline(__always)
    private func encrypt(
        _ content: UnsafeRawBufferPointer, _ type: UInt8, into body: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let typeAddress = unsafe body + content.count
        unsafe typeAddress.pointee = type
        guard content.count > Self.copiedBytes else {
            // For short content a copy costs less than a separate call for the type.
            if let start = content.baseAddress {
                unsafe UnsafeMutableRawPointer(body).copyMemory(from: start, byteCount: content.count)
            }
            return unsafe aead.transform(state, body, content.count + 1, into: body)
        }
        let start = unsafe content.assumingMemoryBound(to: UInt8.self).baseAddress!
        return unsafe aead.transform(state, start, content.count, into: body)
            && aead.transform(state, typeAddress, 1, into: typeAddress)
    }

    /// Decrypts a whole record, header included, into `target`, and returns how many bytes it wrote: those of the
    /// record without header and tag, for which there is room. If it throws, the bytes written are meaningless.
    mutating func open(
        _ record: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer
    ) throws(RecordFlaw) -> Int {
        let innerBytes = record.count - RecordFormat.headerBytes - RecordFormat.tagBytes
        precondition(innerBytes > 0)
        let header = unsafe record.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let body = unsafe header + RecordFormat.headerBytes
        let plaintext = unsafe target.assumingMemoryBound(to: UInt8.self)
        var nonce = try nonces.next()
        let isRead =
            unsafe withUnsafeBytes(of: &nonce) { unsafe aead.beginOpening(state, $0, tag: body + innerBytes) }
            && aead.authenticate(state, header, RecordFormat.headerBytes)
            && aead.transform(state, body, innerBytes, into: plaintext)
        guard isRead else { throw .fault(.crypto(ErrorQueue.fault("the cipher's update"))) }
        guard unsafe aead.finish(state, plaintext + innerBytes) else {
            ErrorQueue.clear()
            throw .notAuthentic
        }
        return innerBytes
    }

    deinit {
        unsafe aead.free(state)
    }

    private static let copiedBytes = 2048
}
