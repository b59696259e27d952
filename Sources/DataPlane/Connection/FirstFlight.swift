import Glibc

/// Checks a client's first bytes before they are held for their handshake turn: there is no identity yet, so that
/// little is kept for any client. In TLS 1.3 without early data they are a ClientHello and nothing else.
enum FirstFlight: Equatable {
    /// This many of the bytes go to TLS; the rest is not part of a ClientHello.
    case take(bytes: Int)
    /// A ClientHello longer than ``helloBytesAtMost``.
    case tooLong

    init(_ bytes: RawSpan) {
        // Safe: the pointer is used within the closure only.
        self = unsafe bytes.withUnsafeBytes { unsafe FirstFlight($0) }
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe bytes.first == Self.handshakeRecord else {
            // TLS will detect from the beginning what it is instead.
            self = .take(bytes: min(bytes.count, Self.helloBytesAtMost))
            return
        }
        guard bytes.count <= Self.helloBytesAtMost + Self.headerBytesAtMost else {
            self = .tooLong
            return
        }
        self = .take(bytes: bytes.count)
        // Safe: the count was just checked. A record shorter than the message's header does not give its length.
        guard bytes.count >= 9, unsafe Int(bytes[3]) << 8 | Int(bytes[4]) >= 4, unsafe bytes[5] == Self.clientHello
        else { return }
        let length = unsafe Int(bytes[6]) << 16 | Int(bytes[7]) << 8 | Int(bytes[8])
        if length > Self.helloBytesAtMost { self = .tooLong }
    }

    /// A ClientHello takes less than 2 KiB, with post-quantum key shares less than 4.
    static let helloBytesAtMost = 16 * 1024
    /// Record headers around it: those of 204 records.
    private static let headerBytesAtMost = 1024
    private static let handshakeRecord: UInt8 = 22
    private static let clientHello: UInt8 = 1
}
