import Policy
import Testing

@Suite("A pattern of server names")
struct ServerNamePatternTests {
    @Test("matches whole labels, ignoring case and one trailing dot", arguments: matching)
    func matches(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try ServerNamePattern(parsing: pattern).matches(name) == expected)
    }

    static let matching: [(String, String, Bool)] = [
        ("orders.internal", "orders.internal", true),
        ("Orders.Internal", "oRDERS.iNTERNAL.", true),
        ("orders.internal", "orders.internal..", false),
        ("orders.internal", "orders.interna", false),
        ("orders.internal", "xorders.internal", false),
        ("orders.internal", "", false),
        ("orders_1.internal", "orders\u{3F}1.internal", false),
        ("*.internal", "orders.internal", true),
        ("*.internal", "a.b.INTERNAL", true),
        ("*.internal", "internal", false),
        ("*.internal", ".internal", false),
        ("*.internal", "ordersinternal", false),
        ("*.internal", ".", false),
        ("*.internal", "*.internal", true),
        ("*.a.internal", "a.internal", false),
        ("a", "a", true),
    ]

    @Test("is refused with a flaw that says what to write instead", arguments: flaws)
    func flaw(_ text: String, _ expected: ServerNamePatternFlaw, _ words: String) {
        #expect(throws: expected) { try ServerNamePattern(parsing: text) }
        #expect(expected.description.contains(words))
    }

    static let flaws: [(String, ServerNamePatternFlaw, String)] = [
        ("", .label(""), "empty label"),
        (".", .label(""), "empty label"),
        ("*", .anyName, "leave the condition out"),
        ("a.", .trailingDot(suggestion: "a"), "write a"),
        ("a..b", .label(""), "empty label"),
        ("a.*.b", .partialLabel("*"), "*.example.org"),
        ("a*.b", .partialLabel("a*"), "*.example.org"),
        ("**.b", .partialLabel("**"), "*.example.org"),
        ("a b", .label("a b"), "no label"),
        ("foo.1", .numericEnd("1"), "ends in the number"),
        ("*.7", .numericEnd("7"), "ends in the number"),
        ("127.0.0.1", .numericEnd("1"), "IP address"),
        ("5", .numericEnd("5"), "ends in the number"),
        ("\u{E9}.test", .label("\u{E9}"), "a-z"),
        ("\u{212A}.test", .label("\u{212A}"), "a-z"),
        (String(repeating: "a", count: 64), .label(String(repeating: "a", count: 64)), "1 to 63"),
        (String(repeating: "a.", count: 127), .tooLong(bytes: 254), "253"),
    ]

    @Test(
        "covers another if it matches all that the other matches",
        arguments: [
            ("*.a", "*.a", true), ("*.a", "*.b.a", true), ("*.b.a", "*.a", false), ("*.a", "b.a", true),
            ("b.a", "*.a", false),
            ("*.a", "*.ba", false), ("*.a", "a", false), ("A", "a", true),
        ])
    func covers(_ pattern: String, _ other: String, _ expected: Bool) throws {
        #expect(try ServerNamePattern(parsing: pattern).covers(try ServerNamePattern(parsing: other)) == expected)
    }
}
