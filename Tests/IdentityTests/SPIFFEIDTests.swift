import Identity
import PosternTesting
import Testing

@Suite("A SPIFFE ID")
struct SPIFFEIDTests {
    @Test("is split into trust domain and path")
    func parts() throws {
        let identity = try SPIFFEID(parsing: "spiffe://example.org/ns/default/sa/a")
        #expect(identity.trustDomain.name == "example.org")
        #expect(identity.path == "/ns/default/sa/a")
        #expect(identity.hasPath)
        #expect("\(identity)" == "spiffe://example.org/ns/default/sa/a")
        #expect(try !SPIFFEID(parsing: "spiffe://example.org").hasPath)
    }

    @Test("equals another exactly if their bytes do")
    func equality() throws {
        let texts = ["spiffe://a/b", "spiffe://a/B", "spiffe://a", "spiffe://a/b/c", "spiffe://ab/c", "spiffe://a/b"]
        let identities = Set(try texts.map { try SPIFFEID(parsing: $0) })
        #expect(identities.count == 5)
        #expect(Set(identities.map(\.trustDomain.description)) == ["a", "ab"])
    }

    @Test("is refused with a flaw that says what is wrong", arguments: flaws)
    func flaw(_ text: String, _ expected: SPIFFEIDFlaw) {
        #expect(throws: expected) { try SPIFFEID(parsing: text) }
    }

    static let flaws: [(String, SPIFFEIDFlaw)] = [
        ("", .noScheme),
        ("spiffe:/a", .noScheme),
        ("SPIFFE://a/b", .noScheme),
        ("spiffe://", .noTrustDomain),
        ("spiffe:///a", .noTrustDomain),
        ("spiffe://Example.org/a", .trustDomainByte(UInt8(ascii: "E"), offset: 9)),
        ("spiffe://a:80/b", .trustDomainByte(UInt8(ascii: ":"), offset: 10)),
        ("spiffe://u@a/b", .trustDomainByte(UInt8(ascii: "@"), offset: 10)),
        ("spiffe://a?q", .trustDomainByte(UInt8(ascii: "?"), offset: 10)),
        ("spiffe://a/", .trailingSlash),
        ("spiffe://a/b/", .trailingSlash),
        ("spiffe://a//b", .emptySegment(offset: 11)),
        ("spiffe://a/./b", .dotSegment(offset: 11)),
        ("spiffe://a/b/..", .dotSegment(offset: 13)),
        ("spiffe://a/b%20", .pathByte(UInt8(ascii: "%"), offset: 12)),
        ("spiffe://a/b#c", .pathByte(UInt8(ascii: "#"), offset: 12)),
        ("spiffe://a/b\0", .pathByte(0, offset: 12)),
        ("spiffe://a/\u{E9}", .pathByte(0xC3, offset: 11)),
        ("spiffe://a/" + String(repeating: "b", count: 2038), .tooLong(bytes: 2049)),
        ("spiffe://" + String(repeating: "a", count: 256), .trustDomainTooLong(bytes: 256)),
    ]

    @Test("has flaws whose description names the remedy", arguments: flawWords)
    func words(_ flaw: SPIFFEIDFlaw, _ words: String) {
        #expect(flaw.description.contains(words))
    }

    static let flawWords: [(SPIFFEIDFlaw, String)] = [
        (SPIFFEIDFlaw.trustDomainByte(UInt8(ascii: "E"), offset: 9), "lower case"),
        (.trustDomainByte(UInt8(ascii: ":"), offset: 9), "no port"),
        (.pathByte(UInt8(ascii: "%"), offset: 9), "percent-encoding"),
        (.trustDomainByte(UInt8(ascii: "/"), offset: 9), "without a path"),
        (.pathByte(0x07, offset: 9), "byte 0x07 at byte 10"),
        (.noScheme, "spiffe://"),
        (.trailingSlash, "leave it out"),
    ]

    @Test("made of random pieces gets the verdict of a slow, obvious reading", arguments: 0..<8)
    func agreesWithOracle(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "spiffe://", "a", "Z", "0", ".", "..", "/", "/", "-", "_", "%41", ":", "?", "#", "@", " ", "\0", "\u{E9}",
        ]
        var valid = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...7, using: &generator)
            var text = Bool.random(using: &generator) ? "spiffe://a" : "spiffe://"
            for _ in 0..<count { text += pieces.randomElement(using: &generator) ?? "" }
            let expected = Self.oracle(text)
            let identity = try? SPIFFEID(parsing: text)
            #expect(identity?.trustDomain.name == expected?.trustDomain, "\(text.debugDescription)")
            #expect(identity?.path == expected?.path, "\(text.debugDescription)")
            valid += identity == nil ? 0 : 1
        }
        #expect(valid > 500)
    }

    /// SPIFFE-ID 2.1-2.3 by splitting strings.
    static func oracle(_ text: String) -> (trustDomain: String, path: String)? {
        guard text.hasPrefix("spiffe://"), text.utf8.count <= 2048 else { return nil }
        let parts = text.unicodeScalars.dropFirst(9).split(separator: "/", omittingEmptySubsequences: false).map(
            String.init)
        let lower = Set("abcdefghijklmnopqrstuvwxyz0123456789.-_".unicodeScalars)
        let both = lower.union("ABCDEFGHIJKLMNOPQRSTUVWXYZ".unicodeScalars)
        guard (1...255).contains(parts[0].utf8.count), parts[0].unicodeScalars.allSatisfy(lower.contains) else {
            return nil
        }
        for segment in parts.dropFirst() {
            guard !["", ".", ".."].contains(segment), segment.unicodeScalars.allSatisfy(both.contains) else {
                return nil
            }
        }
        return (parts[0], parts.dropFirst().map { "/" + $0 }.joined())
    }
}
