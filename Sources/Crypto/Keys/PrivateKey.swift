import COpenSSL

/// A parsed private key; this value is its only owner.
@safe
public struct PrivateKey: ~Copyable {
    package let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Parses an unencrypted key in DER: PKCS#8 or the traditional form of its kind.
    public init(parsing der: [UInt8]) throws(CryptoFault) {
        // Safe: the bytes are read within the closure only.
        let key = unsafe der.withUnsafeBytes { bytes in unsafe Self.parse(bytes) }
        guard let key = unsafe key else { throw ErrorQueue.fault("d2i_AutoPrivateKey") }
        unsafe pointer = key
    }

    /// Parses an unencrypted key in PEM: PKCS#8, SEC1 or PKCS#1.
    public init(pem: String) throws(CryptoFault) {
        let bytes = Array(pem.utf8)
        // Safe: the memory BIO reads the array in place and is freed before the array can go.
        let decoded = unsafe bytes.withUnsafeBytes { buffer -> OpaquePointer? in
            guard let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
                return nil
            }
            defer { unsafe BIO_free(bio) }
            // An encrypted key would ask for a pass phrase on the terminal: this answers with none.
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil)
        }
        ErrorQueue.clear()
        guard let decoded = unsafe decoded else { throw .notPEM(expected: "an unencrypted private key") }
        unsafe pointer = decoded
    }

    static func parse(_ der: UnsafeRawBufferPointer) -> OpaquePointer? {
        ErrorQueue.clear()
        // Safe: d2i_AutoPrivateKey reads at most `count` bytes.
        var cursor = unsafe der.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe d2i_AutoPrivateKey(nil, &cursor, der.count)
    }

    /// Whether the public half of this key is in `certificate`.
    public func matches(_ certificate: Certificate) -> Bool {
        // Safe: both objects are alive for the call.
        let matches = unsafe X509_check_private_key(certificate.pointer, pointer) == 1
        ErrorQueue.clear()
        return matches
    }

    /// Why this key is not accepted for an SVID, or nil. Accepted: EC P-256, P-384 or P-521, RSA of 2048 bits or more,
    /// and Ed25519; of these what the module in use has.
    public var problem: String? {
        guard CryptoModule.inUse == .standard || isInFIPSProvider else {
            return "OpenSSL's FIPS provider does not have keys of this kind; use EC P-256, P-384 or P-521, or RSA"
        }
        switch algorithm {
        case .ed25519, .ec: return nil
        case .rsa(let bits):
            return bits >= 2048 ? nil : "an RSA key of \(bits) bits is too weak; use 2048 or more"
        case nil:
            let isEC = unsafe EVP_PKEY_get_base_id(pointer) == EVP_PKEY_EC
            return isEC
                ? "the key's curve is not supported; use P-256, P-384 or P-521"
                : "a key of this kind is not supported; use EC P-256, P-384 or P-521, Ed25519 or RSA"
        }
    }

    /// OpenSSL parses what no provider has with code of its own.
    private var isInFIPSProvider: Bool {
        // Safe: the key is alive, and its provider's name is static.
        guard let provider = unsafe EVP_PKEY_get0_provider(pointer),
            let name = unsafe OSSL_PROVIDER_get0_name(provider)
        else { return false }
        return unsafe String(cString: name) == FIPSProvider.name
    }

    deinit {
        // Safe: the only owner frees; OpenSSL clears the secret itself.
        unsafe EVP_PKEY_free(pointer)
    }
}
