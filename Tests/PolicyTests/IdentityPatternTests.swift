import Identity
import Policy
import Testing

@Suite("A pattern of SPIFFE IDs")
struct IdentityPatternTests {
    @Test("matches whole segments only", arguments: matching)
    func matches(_ pattern: String, _ identity: String, _ expected: Bool) throws {
        let pattern = try IdentityPattern(parsing: pattern)
        #expect(pattern.matches(try SPIFFEID(parsing: identity)) == expected)
    }

    static let matching: [(String, String, Bool)] = [
        ("spiffe://a/b", "spiffe://a/b", true),
        ("spiffe://a/b", "spiffe://a/B", false),
        ("spiffe://a/b", "spiffe://a/bc", false),
        ("spiffe://a/bc", "spiffe://a/b", false),
        ("spiffe://a/b", "spiffe://a/b/c", false),
        ("spiffe://a/b", "spiffe://ab/b", false),
        ("spiffe://a/*", "spiffe://a/b", true),
        ("spiffe://a/*", "spiffe://a", false),
        ("spiffe://a/*", "spiffe://a/b/c", false),
        ("spiffe://a/*/c", "spiffe://a/b/c", true),
        ("spiffe://a/*/c", "spiffe://a/b/d", false),
        ("spiffe://a/*/c", "spiffe://a/b", false),
        ("spiffe://a/*/*", "spiffe://a/b/c", true),
        ("spiffe://a/**", "spiffe://a/b", true),
        ("spiffe://a/**", "spiffe://a/b/c/d", true),
        ("spiffe://a/**", "spiffe://a", false),
        ("spiffe://a/**", "spiffe://a.b/c", false),
        ("spiffe://a/b/**", "spiffe://a/b", false),
        ("spiffe://a/b/**", "spiffe://a/bc/d", false),
        ("spiffe://a/*/b/**", "spiffe://a/x/b/y", true),
        ("spiffe://a/*/**", "spiffe://a/x", false),
        ("spiffe://*/b", "spiffe://any.domain/b", true),
        ("spiffe://*/b", "spiffe://any.domain/c", false),
        ("spiffe://*/**", "spiffe://x/y/z", true),
        ("spiffe://*/**", "spiffe://x", false),
    ]

    @Test("is refused with a flaw that says what to write instead", arguments: flaws)
    func flaw(_ text: String, _ expected: IdentityPatternFlaw, _ words: String) {
        #expect(throws: expected) { try IdentityPattern(parsing: text) }
        #expect(expected.description.contains(words))
    }

    static let flaws: [(String, IdentityPatternFlaw, String)] = [
        ("a/b", .notASPIFFEID(.noScheme), "spiffe://"),
        ("*", .notASPIFFEID(.noScheme), "spiffe://"),
        ("spiffe:///b", .notASPIFFEID(.noTrustDomain), "TRUST-DOMAIN"),
        ("spiffe://A/b", .notASPIFFEID(.trustDomainByte(UInt8(ascii: "A"), offset: 9)), "lower case"),
        ("spiffe://a/b/", .notASPIFFEID(.trailingSlash), "leave it out"),
        ("spiffe://a/*/", .notASPIFFEID(.trailingSlash), "leave it out"),
        ("spiffe://a//b", .notASPIFFEID(.emptySegment(offset: 11)), "one slash"),
        ("spiffe://a/[bc]", .notASPIFFEID(.pathByte(UInt8(ascii: "["), offset: 11)), "path segment"),
        ("spiffe://a", .noPath(suggestion: "spiffe://a/**"), "write spiffe://a/**"),
        ("spiffe://*", .noPath(suggestion: "spiffe://*/**"), "write spiffe://*/**"),
        ("spiffe://*.a/b", .partialTrustDomain("*.a"), "in full"),
        ("spiffe://**/b", .partialTrustDomain("**"), "* alone"),
        ("spiffe://a/b*", .partialSegment("b*"), "* alone"),
        ("spiffe://a/***", .partialSegment("***"), "* alone"),
        ("spiffe://a/**/b", .doubleStarNotLast, "last segment"),
        ("spiffe://a/**/**", .doubleStarNotLast, "last segment"),
    ]

    @Test("covers another if it matches all that the other matches", arguments: covering)
    func covers(_ pattern: String, _ other: String, _ expected: Bool) throws {
        let pattern = try IdentityPattern(parsing: pattern)
        #expect(pattern.covers(try IdentityPattern(parsing: other)) == expected)
    }

    static let covering: [(String, String, Bool)] = [
        ("spiffe://a/*", "spiffe://a/*", true),
        ("spiffe://a/*", "spiffe://a/**", false),
        ("spiffe://a/**", "spiffe://a/*", true),
        ("spiffe://a/**", "spiffe://a/**", true),
        ("spiffe://a/*/**", "spiffe://a/**", false),
        ("spiffe://a/**", "spiffe://a/*/**", true),
        ("spiffe://*/b", "spiffe://a/b", true),
        ("spiffe://a/b", "spiffe://*/b", false),
        ("spiffe://a/*/c", "spiffe://a/b/*", false),
    ]
}
