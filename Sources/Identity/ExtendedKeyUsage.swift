/// The purposes of the ExtendedKeyUsage extension (RFC 5280 4.2.1.12) that X509-SVID 4.4 constrains.
struct ExtendedKeyUsage {
    private(set) var serverAuth = false
    private(set) var clientAuth = false

    /// Reads the content of the extension's SEQUENCE: one purpose or more.
    init(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) {
        var reader = DERReader(bytes, in: content)
        guard !reader.isAtEnd else { throw .malformedCertificate }
        while !reader.isAtEnd {
            let purpose = try reader.next(.objectIdentifier)
            guard !purpose.isEmpty else { throw .malformedCertificate }
            guard Self.isKeyPurpose(bytes, purpose) else { continue }
            switch bytes[purpose.upperBound - 1] {
            case 1: serverAuth = true
            case 2: clientAuth = true
            default: break
            }
        }
    }

    /// Whether the identifier is id-kp (1.3.6.1.5.5.7.3) and one arc of one byte.
    private static func isKeyPurpose(_ bytes: Span<UInt8>, _ identifier: Range<Int>) -> Bool {
        let prefix: [7 of UInt8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03]
        guard identifier.count == prefix.count + 1 else { return false }
        return prefix.indices.allSatisfy { bytes[identifier.lowerBound + $0] == prefix[$0] }
    }
}
