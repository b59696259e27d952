import COpenSSL

/// What protects the records of one direction: a key, its nonces, and the secret that the next key comes from.
@safe
struct TrafficKey: ~Copyable {
    enum Use { case sealing, opening }

    private let context: OpaquePointer
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
        // Safe, in all of this type: it owns the context, and the key has as many bytes as the cipher reads.
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .outOfMemory }
        let status = unsafe EVP_CipherInit_ex2(
            context, ciphers[cipher], key.bytes.assumingMemoryBound(to: UInt8.self).baseAddress, nil,
            use == .sealing ? 1 : 0, nil)
        guard status == 1 else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw ErrorQueue.fault("EVP_CipherInit_ex2")
        }
        unsafe self.context = context
        self.use = use
        self.cipher = cipher
        self.secret = secret
        unsafe nonces = RecordNonces(iv: iv.bytes, sequence: sequence)
    }

    /// How many records the key has protected.
    var sequence: UInt64 { nonces.sequence }

    /// Goes on with the next key (RFC 8446, section 7.2).
    mutating func update(_ ciphers: RecordCiphers) throws(TLSFault) {
        secret = try ciphers.expand(secret, "traffic upd", cipher, bytes: cipher.secretBytes)
        let iv = try ciphers.expand(secret, "iv", cipher, bytes: RecordFormat.nonceBytes)
        let key = try ciphers.expand(secret, "key", cipher, bytes: cipher.keyBytes)
        unsafe nonces = RecordNonces(iv: iv.bytes)
        let status = unsafe EVP_CipherInit_ex2(
            context, nil, key.bytes.assumingMemoryBound(to: UInt8.self).baseAddress, nil, use == .sealing ? 1 : 0, nil)
        guard status == 1 else { throw ErrorQueue.fault("EVP_CipherInit_ex2") }
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
        var type = type.rawValue
        var done: Int32 = 0
        let begun = unsafe withUnsafeBytes(of: &nonce) { nonce in
            let bytes = unsafe nonce.assumingMemoryBound(to: UInt8.self).baseAddress
            return unsafe EVP_EncryptInit_ex2(context, nil, nil, bytes, nil)
        }
        let bytes = unsafe content.assumingMemoryBound(to: UInt8.self).baseAddress
        guard begun == 1, unsafe EVP_EncryptUpdate(context, nil, &done, header, Int32(RecordFormat.headerBytes)) == 1,
            unsafe content.isEmpty || EVP_EncryptUpdate(context, body, &done, bytes, Int32(content.count)) == 1,
            unsafe EVP_EncryptUpdate(context, body + content.count, &done, &type, 1) == 1,
            unsafe EVP_EncryptFinal_ex(context, body + innerBytes, &done) == 1,
            unsafe postern_cipher_get_tag(context, body + innerBytes, RecordFormat.tagBytes) == 1
        else { throw .fault(ErrorQueue.fault("EVP_EncryptUpdate")) }
        return content.count + RecordFormat.overheadBytes
    }

    /// Decrypts a whole record, header included, into `target`, and returns how many bytes it wrote: those of the
    /// record without header and tag, for which there is room. What it wrote before it throws means nothing.
    mutating func open(
        _ record: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer
    ) throws(RecordFlaw) -> Int {
        let innerBytes = record.count - RecordFormat.headerBytes - RecordFormat.tagBytes
        precondition(innerBytes > 0)
        let header = unsafe record.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let body = unsafe header + RecordFormat.headerBytes
        let plaintext = unsafe target.assumingMemoryBound(to: UInt8.self)
        var nonce = try nonces.next()
        var done: Int32 = 0
        let begun = unsafe withUnsafeBytes(of: &nonce) { nonce in
            unsafe postern_cipher_begin_opening(context, nonce.baseAddress, body + innerBytes, RecordFormat.tagBytes)
        }
        guard begun == 1, unsafe EVP_DecryptUpdate(context, nil, &done, header, Int32(RecordFormat.headerBytes)) == 1,
            unsafe EVP_DecryptUpdate(context, plaintext, &done, body, Int32(innerBytes)) == 1
        else { throw .fault(ErrorQueue.fault("EVP_DecryptUpdate")) }
        guard unsafe EVP_DecryptFinal_ex(context, plaintext + innerBytes, &done) == 1 else {
            ErrorQueue.clear()
            throw .notAuthentic
        }
        return innerBytes
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
    }
}
