import COpenSSL
import Crypto

/// The algorithms that protect the records of all of a worker's sessions: OpenSSL's, looked up once.
@safe
final class RecordCiphers {
    private let derivation: OpaquePointer
    private let aes128GCM: AEAD
    private let aes256GCM: AEAD
    /// Not in a FIPS module.
    private let chaCha20Poly1305: AEAD?

    init() throws(TLSFault) {
        ErrorQueue.clear()
        // Safe, in all of this type: it owns each of these objects; the context keeps its algorithm.
        let library = try TLSFault.translating { () throws(CryptoFault) in try CryptoLibrary.shared() }
        aes128GCM = try AEAD(.aes128GCM)
        aes256GCM = try AEAD(.aes256GCM)
        chaCha20Poly1305 = RecordCipher.chaCha20Poly1305.isAvailable ? try AEAD(.chaCha20Poly1305) : nil
        guard let algorithm = unsafe EVP_KDF_fetch(library.pointer, "HKDF", nil) else {
            throw .crypto(ErrorQueue.fault("EVP_KDF_fetch"))
        }
        defer { unsafe EVP_KDF_free(algorithm) }
        guard let context = unsafe EVP_KDF_CTX_new(algorithm) else {
            throw .crypto(ErrorQueue.fault("EVP_KDF_CTX_new"))
        }
        unsafe derivation = context
    }

    /// Nil if the module in use does not have it, so that no handshake agrees on it.
    subscript(cipher: RecordCipher) -> AEAD? {
        switch cipher {
        case .aes128GCM: aes128GCM
        case .aes256GCM: aes256GCM
        case .chaCha20Poly1305: chaCha20Poly1305
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
    func expand(
        _ secret: borrowing SecretBytes, _ label: StaticString, _ cipher: RecordCipher, bytes count: Int
    ) throws(TLSFault) -> SecretBytes {
        let result = SecretBytes(count: count)
        let prefix: StaticString = "tls13 "
        let labelBytes = prefix.utf8CodeUnitCount + label.utf8CodeUnitCount
        precondition(labelBytes <= Self.maximumLabelBytes && count <= 255)
        // Safe: the offsets stay within the 24 bytes, as just checked; static strings live forever.
        let status = unsafe withUnsafeTemporaryAllocation(byteCount: Self.maximumLabelBytes + 4, alignment: 1) { info in
            unsafe info[0] = 0
            unsafe info[1] = UInt8(count)
            unsafe info[2] = UInt8(labelBytes)
            let start = unsafe info.baseAddress! + 3
            unsafe start.copyMemory(from: prefix.utf8Start, byteCount: prefix.utf8CodeUnitCount)
            unsafe (start + prefix.utf8CodeUnitCount).copyMemory(
                from: label.utf8Start, byteCount: label.utf8CodeUnitCount)
            unsafe start.storeBytes(of: 0, toByteOffset: labelBytes, as: UInt8.self)
            return unsafe postern_hkdf_expand(
                derivation, cipher.digest, secret.bytes.baseAddress, secret.count, info.baseAddress, labelBytes + 4,
                result.mutableBytes.baseAddress, count)
        }
        guard status == 1 else { throw .crypto(ErrorQueue.fault("EVP_KDF_derive")) }
        return result
    }

    deinit {
        unsafe EVP_KDF_CTX_free(derivation)
    }

    private static let maximumLabelBytes = 20
}
