/// The five bytes before a protected record (RFC 8446, section 5.2).
struct RecordHeader: Equatable {
    /// 17 to `RecordFormat.maximumBodyBytes`.
    let bodyBytes: Int

    var recordBytes: Int { RecordFormat.headerBytes + bodyBytes }

    /// Reads the first five bytes. The version is not checked: the record's tag covers it.
    init(parsing bytes: UnsafeRawBufferPointer) throws(RecordFlaw) {
        precondition(bytes.count >= RecordFormat.headerBytes)
        // Safe: the count was just checked.
        guard unsafe bytes[0] == RecordContentType.applicationData.rawValue else { throw .unexpectedRecordType }
        let count = unsafe Int(bytes[3]) << 8 | Int(bytes[4])
        guard count <= RecordFormat.maximumBodyBytes else { throw .tooLong }
        guard count > RecordFormat.tagBytes else { throw .notAuthentic }
        bodyBytes = count
    }

    /// Writes the five bytes of a record that we send.
    static func store(bodyBytes: Int, at target: UnsafeMutablePointer<UInt8>) {
        // Safe: the caller has room for a whole record.
        unsafe target[0] = RecordContentType.applicationData.rawValue
        unsafe target[1] = 3
        unsafe target[2] = 3
        unsafe target[3] = UInt8(truncatingIfNeeded: bodyBytes >> 8)
        unsafe target[4] = UInt8(truncatingIfNeeded: bodyBytes)
    }

    /// How many protected records `bytes` are, from first to last byte; nil if they are anything else.
    static func count(in bytes: UnsafeRawBufferPointer) -> UInt64? {
        var count: UInt64 = 0
        var start = 0
        while start < bytes.count {
            // Safe: the range is within the bytes.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard rest.count >= RecordFormat.headerBytes, let header = unsafe try? Self(parsing: rest) else {
                return nil
            }
            start += header.recordBytes
            count += 1
        }
        return start == bytes.count ? count : nil
    }
}
