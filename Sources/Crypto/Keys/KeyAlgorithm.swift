import COpenSSL

/// The kind of a key pair and its size.
public enum KeyAlgorithm: Hashable, Sendable {
    public enum Curve: String, Hashable, Sendable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"
    }

    case ec(Curve)
    case rsa(bits: Int32)
    case ed25519
}

extension PrivateKey {
    /// A new key from OpenSSL's random generator.
    public init(generating algorithm: KeyAlgorithm) throws(CryptoFault) {
        let name =
            switch algorithm {
            case .ec: "EC"
            case .rsa: "RSA"
            case .ed25519: "ED25519"
            }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil) else {
            throw ErrorQueue.fault("EVP_PKEY_CTX_new_from_name")
        }
        // Safe: the context was created above and is freed once, here.
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw ErrorQueue.fault("EVP_PKEY_keygen_init") }
        let configured: Int32 =
            switch algorithm {
            case .ec(let curve): unsafe EVP_PKEY_CTX_set_group_name(context, curve.rawValue)
            case .rsa(let bits): unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits)
            case .ed25519: 1
            }
        guard configured > 0 else { throw ErrorQueue.fault("EVP_PKEY_CTX_set_params") }
        var generated: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context, &generated) == 1, let generated = unsafe generated else {
            throw ErrorQueue.fault("EVP_PKEY_generate")
        }
        unsafe self.init(owning: generated)
    }

    /// Nil for a key of another kind.
    public var algorithm: KeyAlgorithm? {
        // Safe, here and below: the key is alive; the group's name is written within the buffer's 32 bytes.
        switch unsafe EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: return .rsa(bits: unsafe EVP_PKEY_get_bits(pointer))
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 32)
            var count = 0
            guard unsafe EVP_PKEY_get_group_name(pointer, &name, name.count, &count) == 1 else { return nil }
            switch String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
            case "prime256v1", "P-256": return .ec(.p256)
            case "secp384r1", "P-384": return .ec(.p384)
            case "secp521r1", "P-521": return .ec(.p521)
            default: return nil
            }
        default: return nil
        }
    }

    /// PKCS#8 in DER.
    public func pkcs8DER() throws(CryptoFault) -> [UInt8] {
        guard let info = unsafe EVP_PKEY2PKCS8(pointer) else { throw ErrorQueue.fault("EVP_PKEY2PKCS8") }
        // Safe: made above and freed once, here.
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        guard let der = unsafe encoded({ unsafe i2d_PKCS8_PRIV_KEY_INFO(info, $0) }) else {
            throw ErrorQueue.fault("i2d_PKCS8_PRIV_KEY_INFO")
        }
        return der
    }

    /// The public half as SubjectPublicKeyInfo in DER.
    public func publicKeyDER() throws(CryptoFault) -> [UInt8] {
        let key = unsafe pointer
        guard let der = unsafe encoded({ unsafe i2d_PUBKEY(key, $0) }) else { throw ErrorQueue.fault("i2d_PUBKEY") }
        return der
    }

    /// The signature of `message`, with the hash that fits the key: SHA-256, SHA-384 for P-384, SHA-512 for P-521, none
    /// for Ed25519.
    public func sign(_ message: [UInt8]) throws(CryptoFault) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw ErrorQueue.fault("EVP_MD_CTX_new") }
        // Safe: the context was created above and is freed once, here.
        defer { unsafe EVP_MD_CTX_free(context) }
        let hash =
            switch algorithm {
            case .ec(.p384): unsafe EVP_sha384()
            case .ec(.p521): unsafe EVP_sha512()
            case .ed25519: unsafe OpaquePointer?.none
            default: unsafe EVP_sha256()
            }
        guard unsafe EVP_DigestSignInit(context, nil, hash, nil, pointer) == 1 else {
            throw ErrorQueue.fault("EVP_DigestSignInit")
        }
        // The longest signature here is that of a 4096-bit RSA key: 512 bytes; `count` tells OpenSSL the room.
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        guard unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw ErrorQueue.fault("EVP_DigestSign")
        }
        return Array(signature.prefix(count))
    }
}
