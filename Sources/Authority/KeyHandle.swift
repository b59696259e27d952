import COpenSSL

/// Owns one `EVP_PKEY` for the length of a call.
@safe
struct KeyHandle: ~Copyable {
    private let key: OpaquePointer

    init(generating kind: KeyKind) throws(PKIFault) {
        let algorithm =
            switch kind {
            case .p256, .p384, .p521: "EC"
            case .rsa2048, .rsa1024: "RSA"
            case .ed25519: "ED25519"
            }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, algorithm, nil) else {
            throw lastFault("EVP_PKEY_CTX_new_from_name")
        }
        // The context was created above and is freed once, here.
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw lastFault("EVP_PKEY_keygen_init") }
        let configured: Int32 =
            switch kind {
            case .p256: unsafe EVP_PKEY_CTX_set_group_name(context, "P-256")
            case .p384: unsafe EVP_PKEY_CTX_set_group_name(context, "P-384")
            case .p521: unsafe EVP_PKEY_CTX_set_group_name(context, "P-521")
            case .rsa2048: unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
            case .rsa1024: unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 1024)
            case .ed25519: 1
            }
        guard configured > 0 else { throw lastFault("EVP_PKEY_CTX_set_params") }
        var generated: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context, &generated) == 1, let generated = unsafe generated else {
            throw lastFault("EVP_PKEY_generate")
        }
        unsafe key = generated
    }

    init(pkcs8DER: [UInt8]) throws(PKIFault) {
        // OpenSSL reads at most `count` bytes of the array, which outlives the call.
        let decoded = unsafe pkcs8DER.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
        guard let decoded = unsafe decoded else { throw lastFault("d2i_AutoPrivateKey") }
        unsafe key = decoded
    }

    init(pem: String) throws(PKIFault) {
        let bytes = Array(pem.utf8)
        // The memory BIO reads the array in place and is freed before the array can go.
        let decoded = unsafe bytes.withUnsafeBytes { buffer -> OpaquePointer? in
            guard let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
                return nil
            }
            defer { unsafe BIO_free(bio) }
            // An encrypted key would ask for a pass phrase on the terminal: this answers with none.
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil)
        }
        guard let decoded = unsafe decoded else {
            ERR_clear_error()
            throw .notPEM(expected: "an unencrypted private key")
        }
        unsafe key = decoded
    }

    deinit { unsafe EVP_PKEY_free(key) }

    func kind() throws(PKIFault) -> KeyKind {
        let bits = unsafe EVP_PKEY_get_bits(key)
        switch unsafe (EVP_PKEY_get_base_id(key), bits) {
        case (EVP_PKEY_EC, 256): return .p256
        case (EVP_PKEY_EC, 384): return .p384
        case (EVP_PKEY_EC, 521): return .p521
        case (EVP_PKEY_RSA, 2048...): return .rsa2048
        case (EVP_PKEY_RSA, _): return .rsa1024
        case (EVP_PKEY_ED25519, _): return .ed25519
        default: throw .notPEM(expected: "a private key of P-256, P-384, P-521, RSA or Ed25519")
        }
    }

    func pkcs8DER() throws(PKIFault) -> [UInt8] {
        guard let info = unsafe EVP_PKEY2PKCS8(key) else { throw lastFault("EVP_PKEY2PKCS8") }
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        return try unsafe encoded("i2d_PKCS8_PRIV_KEY_INFO") { unsafe i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
    }

    func subjectPublicKeyInfoDER() throws(PKIFault) -> [UInt8] {
        let key = unsafe key
        return try unsafe encoded("i2d_PUBKEY") { unsafe i2d_PUBKEY(key, $0) }
    }

    func sign(_ message: [UInt8], kind: KeyKind) throws(PKIFault) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw lastFault("EVP_MD_CTX_new") }
        defer { unsafe EVP_MD_CTX_free(context) }
        let hash =
            switch kind {
            case .p256, .rsa2048, .rsa1024: unsafe EVP_sha256()
            case .p384: unsafe EVP_sha384()
            case .p521: unsafe EVP_sha512()
            case .ed25519: unsafe OpaquePointer?.none
            }
        guard unsafe EVP_DigestSignInit(context, nil, hash, nil, key) == 1 else {
            throw lastFault("EVP_DigestSignInit")
        }
        // The longest signature here is that of a 4096-bit RSA key: 512 bytes; `count` tells OpenSSL the room.
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        guard unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw lastFault("EVP_DigestSign")
        }
        return Array(signature.prefix(count))
    }
}

/// Runs an `i2d_` function twice: for the length, then for the bytes.
func encoded(
    _ call: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) throws(PKIFault) -> [UInt8] {
    let count = encode(nil)
    guard count > 0 else { throw lastFault(call) }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    // The second call writes exactly the `count` bytes that the first one announced.
    let written = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        var cursor = buffer.baseAddress
        return unsafe encode(&cursor)
    }
    guard written == count else { throw lastFault(call) }
    return bytes
}

/// Takes the newest error of this thread's queue and empties the queue.
func lastFault(_ call: String) -> PKIFault {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    return .openSSL(call: call, code: UInt(code))
}
