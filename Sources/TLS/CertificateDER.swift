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

    /// SHA-256 of everything that a peer presented, each certificate after its length; nil when there is nothing.
    static func digest(of presented: OpaquePointer?, leaf: [UInt8]) -> Digest256? {
        guard let presented = unsafe presented, !leaf.isEmpty else { return nil }
        var all: [UInt8] = []
        append(leaf, to: &all)
        let count = unsafe postern_certs_count(presented)
        for index in 0..<count {
            // Safe: the index is in bounds, and the stack borrows its certificates for the call.
            guard let certificate = unsafe postern_certs_at(presented, index) else { return nil }
            append(unsafe bytes(of: certificate), to: &all)
        }
        return unsafe sha256(all).withUnsafeBytes { unsafe Digest256($0) }
    }

    private static func append(_ der: [UInt8], to all: inout [UInt8]) {
        // Safe: an integer's bytes.
        unsafe withUnsafeBytes(of: UInt32(der.count)) { unsafe all.append(contentsOf: $0) }
        all.append(contentsOf: der)
    }
}
