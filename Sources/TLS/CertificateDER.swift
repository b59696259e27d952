import COpenSSL

/// The encoding of parsed certificates.
enum CertificateDER {
    /// The DER of `certificate` as it was received; empty when OpenSSL cannot produce it.
    static func bytes(of certificate: OpaquePointer) -> [UInt8] {
        // Safe: the first call tells the length, and the second writes exactly that many bytes.
        let count = unsafe Int(i2d_X509(certificate, nil))
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var cursor = buffer.baseAddress
            initialized = unsafe Int(i2d_X509(certificate, &cursor)) == count ? count : 0
        }
    }

    /// SHA-256.
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        // Safe: SHA256 reads `count` bytes and writes 32.
        unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, initialized in
            unsafe bytes.withUnsafeBufferPointer { unsafe _ = SHA256($0.baseAddress, $0.count, digest.baseAddress) }
            initialized = Int(SHA256_DIGEST_LENGTH)
        }
    }
}
