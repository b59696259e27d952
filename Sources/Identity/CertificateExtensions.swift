/// The extensions of one certificate that X509-SVID constrains (RFC 5280 4.2.1).
struct CertificateExtensions {
    private(set) var alternativeURIs = AlternativeURIs()
    private(set) var isCA = false
    private(set) var keyUsage: KeyUsage?
    private(set) var extendedKeyUsage: ExtendedKeyUsage?

    /// No extensions at all.
    init() {}

    /// Reads the content of an Extensions SEQUENCE.
    init(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) {
        var reader = DERReader(bytes, in: content)
        var seen: [Range<Int>] = []
        guard !reader.isAtEnd else { throw .malformedCertificate }
        while !reader.isAtEnd {
            guard seen.count < Self.maximumCount else { throw .malformedCertificate }
            var fields = DERReader(bytes, in: try reader.next(.sequence))
            let identifier = try fields.next(.objectIdentifier)
            guard !identifier.isEmpty else { throw .malformedCertificate }
            if let critical = try fields.nextIfPresent(.boolean) { _ = try DERValues.boolean(bytes, in: critical) }
            let value = try fields.next(.octetString)
            try fields.finish()
            for earlier in seen where Self.equal(bytes, earlier, identifier) { throw .malformedCertificate }
            seen.append(identifier)
            try read(bytes, identifier: identifier, value: value)
        }
    }

    private mutating func read(
        _ bytes: Span<UInt8>, identifier: Range<Int>, value: Range<Int>
    ) throws(SVIDRefusal) {
        // All extensions that matter here are id-ce (2.5.29), whose last arc fits one byte.
        guard identifier.count == 3, bytes[identifier.lowerBound] == 0x55, bytes[identifier.lowerBound + 1] == 0x1D
        else { return }
        var reader = DERReader(bytes, in: value)
        switch bytes[identifier.lowerBound + 2] {
        case 15: keyUsage = KeyUsage(bits: try DERValues.leadingBits(bytes, in: try reader.next(.bitString)))
        case 17: alternativeURIs = try AlternativeURIs(bytes, in: try reader.next(.sequence))
        case 19: isCA = try Self.basicConstraints(bytes, in: try reader.next(.sequence))
        case 37: extendedKeyUsage = try ExtendedKeyUsage(bytes, in: try reader.next(.sequence))
        default: return
        }
        try reader.finish()
    }

    /// The cA field of BasicConstraints (4.2.1.9); the path length is checked with the chain.
    private static func basicConstraints(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) -> Bool {
        var reader = DERReader(bytes, in: content)
        var isCA = false
        if let flag = try reader.nextIfPresent(.boolean) { isCA = try DERValues.boolean(bytes, in: flag) }
        if let pathLength = try reader.nextIfPresent(.integer) { _ = try DERValues.magnitude(bytes, in: pathLength) }
        try reader.finish()
        return isCA
    }

    private static func equal(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { bytes[$0] == bytes[$1] }
    }

    /// More extensions than any honest certificate has; bounds the search for duplicates.
    private static let maximumCount = 64
}
