/// Values of DER's primitive types, read from the content of an element (X.690 8 and 11).
enum DERValues {
    /// A BOOLEAN (11.1): one byte, 0x00 or 0xFF.
    static func boolean(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> Bool {
        guard content.count == 1 else { throw .malformedCertificate }
        switch bytes[content.lowerBound] {
        case 0x00: return false
        case 0xFF: return true
        default: throw .malformedCertificate
        }
    }

    /// Where the magnitude of a non-negative, minimally encoded INTEGER lies (8.3), without a leading zero byte.
    static func magnitude(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> Range<Int> {
        guard let first = content.first, bytes[first] < 0x80 else { throw .malformedCertificate }
        guard content.count > 1, bytes[first] == 0 else { return content }
        guard bytes[first + 1] >= 0x80 else { throw .malformedCertificate }
        return first + 1..<content.upperBound
    }

    /// The first 16 bits of a BIT STRING (8.6), the first bit of the string lowest; the padding must be zero.
    static func leadingBits(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> UInt16 {
        guard let first = content.first else { throw .malformedCertificate }
        let unusedBits = bytes[first]
        let octets = first + 1..<content.upperBound
        guard unusedBits <= 7, unusedBits == 0 || !octets.isEmpty else { throw .malformedCertificate }
        if let last = octets.last, bytes[last] & (1 << unusedBits - 1) != 0 { throw .malformedCertificate }
        var bits: UInt16 = 0
        for (octet, index) in octets.prefix(2).enumerated() {
            for bit in 0..<8 where bytes[index] & (0x80 >> bit) != 0 { bits |= 1 << (octet * 8 + bit) }
        }
        return bits
    }
}
