/// The URIs among a certificate's subject alternative names (RFC 5280 4.2.1.6).
///
/// Only uniformResourceIdentifier names count; a SPIFFE ID in a DNS, email or other name is ignored. Keeps only the
/// first: a second URI is already a reason to refuse.
struct AlternativeURIs {
    private(set) var count = 0
    private(set) var first: [UInt8] = []
    /// Whether any URI has the scheme `spiffe`, in either case.
    private(set) var includeSPIFFE = false

    /// No names.
    init() {}

    /// Reads the content of a GeneralNames SEQUENCE: one name or more.
    init(_ bytes: Span<UInt8>, in content: Range<Int>) throws(SVIDRefusal) {
        var reader = DERReader(bytes, in: content)
        guard !reader.isAtEnd else { throw .malformedCertificate }
        while !reader.isAtEnd {
            let name = try reader.next()
            switch name.tag {
            case Self.uniformResourceIdentifier: add(bytes, in: name.content)
            case 0x81, 0x82, 0x87, 0x88: continue  // rfc822Name, dNSName, iPAddress, registeredID
            case 0xA0, 0xA3, 0xA4, 0xA5: continue  // otherName, x400Address, directoryName, ediPartyName
            default: throw .malformedCertificate
            }
        }
    }

    private mutating func add(_ bytes: Span<UInt8>, in content: Range<Int>) {
        if count == 0 { first = content.map { bytes[$0] } }
        count += 1
        includeSPIFFE = includeSPIFFE || Self.hasSPIFFEScheme(bytes, content)
    }

    private static func hasSPIFFEScheme(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Bool {
        let scheme: [7 of UInt8] = [0x73, 0x70, 0x69, 0x66, 0x66, 0x65, 0x3A]  // spiffe:
        guard content.count >= scheme.count else { return false }
        // Setting bit 5 lowers a letter, leaves the colon, and makes nothing else equal to these.
        return scheme.indices.allSatisfy { bytes[content.lowerBound + $0] | 0x20 == scheme[$0] }
    }

    private static let uniformResourceIdentifier: UInt8 = 0x86
}
