/// Hash keys (FNV-1a) of the prefixes of a SPIFFE ID that end with a slash, and of the whole ID, shortest first.
///
/// The first is the key of the empty prefix after `spiffe://`. Equal prefixes have equal keys; different ones may
/// collide.
struct PrefixKeys: ~Escapable {
    private let text: Span<UInt8>
    private var position: Int?
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Hashes at most `limit` bytes of the ID; one more key may end there.
    @_lifetime(copy text)
    init(of text: Span<UInt8>, atMostBytes limit: Int) {
        self.text = text.extracting(first: limit)
    }

    @_lifetime(self: copy self)
    mutating func next() -> UInt64? {
        guard var position else {
            self.position = Self.schemeBytes
            return hash
        }
        guard position < text.count else { return nil }
        var byte: UInt8
        repeat {
            byte = text[position]
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            position += 1
        } while byte != UInt8(ascii: "/") && position < text.count
        self.position = position
        return hash
    }

    /// The key of one whole prefix.
    static func key(of prefix: String) -> UInt64 {
        let utf8 = prefix.utf8
        var keys = PrefixKeys(of: utf8.span, atMostBytes: utf8.count)
        var last = keys.hash
        while let key = keys.next() { last = key }
        return last
    }

    /// `spiffe://`
    private static let schemeBytes = 9
}
