/// The grammar of SPIFFE-ID 2.1-2.3 over bytes: one pass, no allocation.
enum SPIFFEIDGrammar {
    /// Checks a whole SPIFFE ID and returns where its trust domain ends and its path begins.
    static func endOfTrustDomain(ofID bytes: Span<UInt8>) throws(SPIFFEIDFlaw) -> Int {
        guard bytes.count <= SPIFFEID.maximumBytes else { throw .tooLong(bytes: bytes.count) }
        guard hasScheme(bytes) else { throw .noScheme }
        let end = try endOfTrustDomain(bytes, from: scheme.count)
        try checkPath(bytes, from: end)
        return end
    }

    /// Checks a trust domain that runs up to a slash or the end, and returns where it ends (2.1).
    static func endOfTrustDomain(_ bytes: Span<UInt8>, from start: Int) throws(SPIFFEIDFlaw) -> Int {
        var end = start
        while end < bytes.count, bytes[end] != slash {
            guard isAllowedInTrustDomain(bytes[end]) else { throw .trustDomainByte(bytes[end], offset: end) }
            end += 1
        }
        guard end > start else { throw .noTrustDomain }
        guard end - start <= TrustDomain.maximumBytes else { throw .trustDomainTooLong(bytes: end - start) }
        return end
    }

    /// Whether the bytes begin with `spiffe://`, in lower case.
    static func hasScheme(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= scheme.count else { return false }
        for index in 0..<scheme.count where bytes[index] != scheme[index] { return false }
        return true
    }

    /// Checks a path: nothing, or segments that each follow one slash (2.2).
    private static func checkPath(_ bytes: Span<UInt8>, from start: Int) throws(SPIFFEIDFlaw) {
        var slashAt = start
        while slashAt < bytes.count {
            let segment = slashAt + 1
            var end = segment
            while end < bytes.count, bytes[end] != slash {
                guard isAllowedInPath(bytes[end]) else { throw .pathByte(bytes[end], offset: end) }
                end += 1
            }
            guard end > segment else { throw end == bytes.count ? .trailingSlash : .emptySegment(offset: end) }
            guard !isDots(bytes, segment..<end) else { throw .dotSegment(offset: segment) }
            slashAt = end
        }
    }

    private static func isDots(_ bytes: Span<UInt8>, _ segment: Range<Int>) -> Bool {
        segment.count <= 2 && segment.allSatisfy { bytes[$0] == dot }
    }

    private static func isAllowedInTrustDomain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), dot, hyphen, underscore: true
        default: false
        }
    }

    private static func isAllowedInPath(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: isAllowedInTrustDomain(byte)
        }
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
    private static let hyphen = UInt8(ascii: "-")
    private static let underscore = UInt8(ascii: "_")
    private static let scheme: [9 of UInt8] = [0x73, 0x70, 0x69, 0x66, 0x66, 0x65, 0x3A, 0x2F, 0x2F]  // spiffe://
}
