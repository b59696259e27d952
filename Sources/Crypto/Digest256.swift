import COpenSSL

/// 32 bytes that identify something: a SHA-256 digest, or a session ID.
public struct Digest256: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 32 else { return nil }
        // Safe: four unaligned words are 32 bytes.
        words = unsafe (
            bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// The SHA-256 of `bytes`; nil if OpenSSL cannot compute it.
    package init?(sha256 bytes: UnsafeRawBufferPointer) {
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        // Safe: SHA256 reads `count` bytes and writes the 32 of the four words.
        let computed = unsafe withUnsafeMutableBytes(of: &digest) { room in
            unsafe SHA256(
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count,
                room.baseAddress?.assumingMemoryBound(to: UInt8.self)) != nil
        }
        guard computed else { return nil }
        words = digest
    }

    /// The SHA-256 of `bytes`.
    public init?(sha256 bytes: [UInt8]) {
        // Safe: the bytes are read within the closure only.
        guard let digest = unsafe bytes.withUnsafeBytes({ unsafe Digest256(sha256: $0) }) else { return nil }
        self = digest
    }

    /// In order, as they were given.
    public var bytes: [UInt8] {
        // Safe: the four words are read within the closure only.
        unsafe withUnsafeBytes(of: words) { unsafe Array($0) }
    }

    public static func == (left: Digest256, right: Digest256) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
