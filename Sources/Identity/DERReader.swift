/// Reads DER elements one after another from a part of a certificate (X.690 10: definite, minimal lengths).
///
/// It never descends by itself: the caller opens the content of an element it knows, so nesting is bounded by
/// the code. Everything malformed is `SVIDRefusal.malformedCertificate`.
struct DERReader: ~Escapable {
    let bytes: Span<UInt8>
    private var position: Int
    private let end: Int

    /// Reads the whole of `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.init(bytes, in: 0..<bytes.count)
    }

    /// Reads the part of `bytes` that an element's content covers.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// The next element, whatever its tag.
    @_lifetime(self: copy self)
    mutating func next() throws(SVIDRefusal) -> DERElement {
        let tag = try nextByte()
        // Tag numbers of 31 and above, in several bytes, occur nowhere in a certificate.
        guard tag & 0x1F != 0x1F else { throw .malformedCertificate }
        let length = try nextLength()
        guard length <= end - position else { throw .malformedCertificate }
        let content = position..<position + length
        position += length
        return DERElement(tag: tag, content: content)
    }

    /// The content of the next element, which must have this tag.
    @_lifetime(self: copy self)
    mutating func next(_ tag: DERTag) throws(SVIDRefusal) -> Range<Int> {
        let element = try next()
        guard element.tag == tag.rawValue else { throw .malformedCertificate }
        return element.content
    }

    /// The content of the next element if it has this tag; else nothing is read.
    @_lifetime(self: copy self)
    mutating func nextIfPresent(_ tag: DERTag) throws(SVIDRefusal) -> Range<Int>? {
        guard position < end, bytes[position] == tag.rawValue else { return nil }
        return try next().content
    }

    /// Checks that nothing follows.
    func finish() throws(SVIDRefusal) {
        guard isAtEnd else { throw .malformedCertificate }
    }

    @_lifetime(self: copy self)
    private mutating func nextByte() throws(SVIDRefusal) -> UInt8 {
        guard position < end else { throw .malformedCertificate }
        defer { position += 1 }
        return bytes[position]
    }

    /// A length in as few bytes as it can be; 0x80 (indefinite) and more than four bytes are refused.
    @_lifetime(self: copy self)
    private mutating func nextLength() throws(SVIDRefusal) -> Int {
        let first = try nextByte()
        guard first >= 0x80 else { return Int(first) }
        let count = Int(first & 0x7F)
        guard (1...4).contains(count) else { throw .malformedCertificate }
        var length = 0
        for _ in 0..<count { length = length << 8 | Int(try nextByte()) }
        guard length >= 0x80, length >> (8 * (count - 1)) != 0 else { throw .malformedCertificate }
        return length
    }
}
