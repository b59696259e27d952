import Crypto

/// A cipher suite of TLS 1.3 that Postern speaks (RFC 8446, appendix B.4).
enum RecordCipher: UInt16, CaseIterable {
    case aes128GCM = 0x1301
    case aes256GCM = 0x1302
    case chaCha20Poly1305 = 0x1303

    /// The suite's registered name.
    var name: String {
        switch self {
        case .aes128GCM: "TLS_AES_128_GCM_SHA256"
        case .aes256GCM: "TLS_AES_256_GCM_SHA384"
        case .chaCha20Poly1305: "TLS_CHACHA20_POLY1305_SHA256"
        }
    }

    /// OpenSSL's name of the cipher.
    var algorithm: String {
        switch self {
        case .aes128GCM: "AES-128-GCM"
        case .aes256GCM: "AES-256-GCM"
        case .chaCha20Poly1305: "ChaCha20-Poly1305"
        }
    }

    /// Whether the module in use has it.
    var isAvailable: Bool { unsafe LeanProvider.cipher(named: algorithm) != nil }

    /// OpenSSL's name of the hash that keys are derived with.
    var digest: String { self == .aes256GCM ? "SHA384" : "SHA256" }

    var keyBytes: Int { self == .aes128GCM ? 16 : 32 }
    /// As long as a result of the hash.
    var secretBytes: Int { self == .aes256GCM ? 48 : 32 }
}
