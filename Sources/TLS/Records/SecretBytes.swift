import COpenSSL

/// Secret bytes in a heap block of their own, overwritten when their owner is destroyed; they are never moved.
@safe
struct SecretBytes: ~Copyable {
    private let block: UnsafeMutableRawBufferPointer

    var count: Int { unsafe block.count }

    /// Zeros, to be filled.
    init(count: Int) {
        // Safe: the block is owned by this value and freed in deinit only.
        unsafe block = .allocate(byteCount: count, alignment: 8)
        unsafe block.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// The bytes that pairs of lower-case hexadecimal digits stand for.
    init?(hex: UnsafeRawBufferPointer) {
        guard hex.count % 2 == 0, unsafe hex.allSatisfy({ Self.value(ofDigit: $0) != nil }) else { return nil }
        self.init(count: hex.count / 2)
        for index in 0..<count {
            // Safe: every digit was looked at, and each index is within its buffer.
            let high = unsafe Self.value(ofDigit: hex[index * 2]) ?? 0
            let low = unsafe Self.value(ofDigit: hex[index * 2 + 1]) ?? 0
            unsafe block[index] = high << 4 | low
        }
    }

    /// Valid for as long as this value.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(block) }
    var mutableBytes: UnsafeMutableRawBufferPointer { unsafe block }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    deinit {
        unsafe OPENSSL_cleanse(block.baseAddress, block.count)
        unsafe block.deallocate()
    }
}
