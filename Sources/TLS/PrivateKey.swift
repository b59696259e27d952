import COpenSSL

/// A parsed private key; this value is its only owner.
@safe
struct PrivateKey: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Whether the public half of this key is in `certificate`.
    func matches(certificate: OpaquePointer) -> Bool {
        // Safe: both objects are alive for the call.
        let matches = unsafe X509_check_private_key(certificate, pointer) == 1
        ErrorQueue.clear()
        return matches
    }

    deinit {
        // Safe: the only owner frees; OpenSSL clears the secret itself.
        unsafe EVP_PKEY_free(pointer)
    }
}

extension PrivateKey {
    /// Why this key is not one we use, or nil: EC P-256, P-384 or P-521, RSA of 2048 bits or more, and Ed25519 are.
    var problem: String? {
        // Safe: the key is alive; the group's name is written within the buffer's 32 bytes.
        switch unsafe EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_ED25519: return nil
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS:
            let bits = unsafe EVP_PKEY_get_bits(pointer)
            return bits >= 2048 ? nil : "an RSA key of \(bits) bits is too weak; use 2048 or more"
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 32)
            var count = 0
            let found = unsafe EVP_PKEY_get_group_name(pointer, &name, name.count, &count) == 1
            let curve = String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if found, ["prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"].contains(curve) {
                return nil
            }
            return "the key's curve is not supported; use P-256, P-384 or P-521"
        default: return "a key of this kind is not supported; use EC P-256, P-384 or P-521, Ed25519 or RSA"
        }
    }
}
