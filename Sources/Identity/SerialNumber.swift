/// A certificate's serial number (RFC 5280 4.1.2.2): a number of at most 20 bytes.
public struct SerialNumber: Hashable, Comparable, Sendable {
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt64

    /// From big-endian bytes; nil for more than 20 without leading zeros.
    public init?(_ bytes: [UInt8]) { self.init(bigEndian: bytes) }

    /// Generic only within this module: called unspecialised from outside it would cost ten thousand instructions.
    init?(bigEndian bytes: some BidirectionalCollection<UInt8>) {
        let magnitude = bytes.drop { $0 == 0 }
        guard magnitude.count <= Self.maximumBytes else { return nil }
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        for byte in magnitude {
            words.0 = words.0 << 8 | words.1 >> 56
            words.1 = words.1 << 8 | words.2 >> 56
            words.2 = words.2 << 8 | UInt64(byte)
        }
        (high, middle, low) = words
    }

    public static func < (left: SerialNumber, right: SerialNumber) -> Bool {
        (left.high, left.middle, left.low) < (right.high, right.middle, right.low)
    }

    private static let maximumBytes = 20
}
