/// Runs an `i2d_` function twice: for the length, then for the bytes. Nil if OpenSSL cannot encode the object.
func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
    let count = Int(encode(nil))
    guard count > 0 else { return nil }
    var isWhole = false
    // Safe: the second call writes exactly the bytes that the first one announced.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        var cursor = buffer.baseAddress
        isWhole = unsafe Int(encode(&cursor)) == count
        initialized = isWhole ? count : 0
    }
    return isWhole ? bytes : nil
}
