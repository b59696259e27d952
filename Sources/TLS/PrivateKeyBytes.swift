import COpenSSL

/// The DER of a private key, overwritten when the last owner lets go; it has no description to print.
///
/// Sendable by hand: the bytes are written in `init` and in `deinit` only.
@safe
public final class PrivateKeyBytes: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies `der` and overwrites it with zeros.
    init(consuming der: inout [UInt8]) {
        // Safe: the block is owned by this object; the array is ours to overwrite.
        unsafe bytes = .allocate(byteCount: der.count, alignment: 1)
        unsafe bytes.copyBytes(from: der)
        unsafe der.withUnsafeMutableBytes { old in unsafe OPENSSL_cleanse(old.baseAddress, old.count) }
    }

    public var description: String { "(private key)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether both are one key in one encoding.
    func isSame(as other: PrivateKeyBytes) -> Bool {
        // Safe: both blocks are as long as is said.
        unsafe bytes.count == other.bytes.count
            && CRYPTO_memcmp(bytes.baseAddress, other.bytes.baseAddress, bytes.count) == 0
    }

    /// Parses the key: PKCS#8 or the traditional form of its kind. The caller owns the result.
    func makeKey() throws(TLSFault) -> PrivateKey {
        ErrorQueue.clear()
        // Safe: d2i_AutoPrivateKey reads at most `count` bytes of a block that this object keeps.
        var cursor = unsafe UnsafePointer(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        guard let key = unsafe d2i_AutoPrivateKey(nil, &cursor, bytes.count) else {
            throw ErrorQueue.fault("d2i_AutoPrivateKey")
        }
        return unsafe PrivateKey(owning: key)
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }
}
