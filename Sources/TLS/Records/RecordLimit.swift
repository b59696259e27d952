import COpenSSL

/// How much plaintext one record to the peer may carry: a power of two.
struct RecordLimit {
    private let shift: Int

    static let whole = RecordLimit(shift: 14)

    private init(shift: Int) { self.shift = shift }

    /// The negotiated max_fragment_length (RFC 6066, section 4); without it, a whole record.
    ///
    /// - Parameter session: an `SSL_SESSION` that is alive for the length of the call.
    init(agreedIn session: OpaquePointer) {
        switch unsafe SSL_SESSION_get_max_fragment_length(session) {
        case UInt8(TLSEXT_max_fragment_length_512): shift = 9
        case UInt8(TLSEXT_max_fragment_length_1024): shift = 10
        case UInt8(TLSEXT_max_fragment_length_2048): shift = 11
        case UInt8(TLSEXT_max_fragment_length_4096): shift = 12
        default: shift = 14
        }
    }

    @inline(__always)
    var bytes: Int { 1 &<< shift }

    /// How many whole records so many bytes fill.
    @inline(__always)
    func whole(in bytes: Int) -> Int { bytes &>> shift }

    /// How many records carry so many bytes.
    @inline(__always)
    func records(for count: Int) -> Int { (count &+ bytes &- 1) &>> shift }
}
