import COpenSSL

/// The DER of a private key, overwritten when its last owner releases it; it has no printable description.
///
/// Sendable by hand: the bytes are written in `init` and in `deinit` only.
@safe
public final class PrivateKeyBytes: @unchecked Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies `der` and overwrites it with zeros.
    public init(consuming der: inout [UInt8]) {
        // Safe: the block is owned by this object; the array is ours to overwrite.
        unsafe bytes = .allocate(byteCount: der.count, alignment: 1)
        unsafe bytes.copyBytes(from: der)
        unsafe der.withUnsafeMutableBytes { old in unsafe OPENSSL_cleanse(old.baseAddress, old.count) }
    }

    public var description: String { "(private key)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether both are the same key in the same encoding; compares in constant time.
    public static func == (left: PrivateKeyBytes, right: PrivateKeyBytes) -> Bool {
        // Safe: both blocks are as long as is said.
        unsafe left.bytes.count == right.bytes.count
            && CRYPTO_memcmp(left.bytes.baseAddress, right.bytes.baseAddress, left.bytes.count) == 0
    }

    /// Parses the key: PKCS#8 or the traditional form of its kind. The caller owns the result.
    public func makeKey() throws(CryptoFault) -> PrivateKey {
        // Safe: the block is this object's, and read within the call only.
        guard let key = unsafe PrivateKey.parse(UnsafeRawBufferPointer(bytes)) else {
            throw ErrorQueue.fault("d2i_AutoPrivateKey")
        }
        return unsafe PrivateKey(owning: key)
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }
}
