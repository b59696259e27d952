/// The nonces of one key: its IV with the record's number folded in (RFC 8446, section 5.3).
struct RecordNonces {
    /// Twelve bytes in memory order.
    typealias Nonce = (UInt32, UInt32, UInt32)

    private let high: UInt32
    private let low: UInt64
    /// The number of the next record; it never wraps.
    private(set) var sequence: UInt64

    /// - Parameter iv: twelve bytes.
    init(iv: UnsafeRawBufferPointer, sequence: UInt64 = 0) {
        precondition(iv.count == RecordFormat.nonceBytes)
        // Safe: the count was just checked.
        high = unsafe iv.loadUnaligned(as: UInt32.self)
        low = unsafe UInt64(bigEndian: iv.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
        self.sequence = sequence
    }

    /// The nonce of the next record; each is given out once.
    mutating func next() throws(RecordFlaw) -> Nonce {
        guard sequence < .max else { throw .fault(.recordNumbersUsedUp) }
        let word = low ^ sequence
        sequence += 1
        return (high, UInt32(truncatingIfNeeded: word >> 32).bigEndian, UInt32(truncatingIfNeeded: word).bigEndian)
    }
}
