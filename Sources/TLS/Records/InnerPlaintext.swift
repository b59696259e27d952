/// What a record's decrypted bytes hold: content, its type, and zeros (TLSInnerPlaintext of RFC 8446, section 5.2).
struct InnerPlaintext: Equatable {
    /// Never `changeCipherSpec`.
    let type: RecordContentType
    let contentBytes: Int

    /// Finds the type, which is the last byte that is not zero.
    init(parsing bytes: UnsafeRawBufferPointer) throws(RecordFlaw) {
        var end = bytes.count
        // Safe: `end` is in 1...count whenever a byte is read.
        while end > 0, unsafe bytes[end - 1] == 0 { end -= 1 }
        guard end > 0, let type = unsafe RecordContentType(rawValue: bytes[end - 1]), type != .changeCipherSpec else {
            throw .unexpectedRecordType
        }
        self.type = type
        contentBytes = end - 1
    }
}
