import Policy
import Testing

@Suite("A block of addresses")
struct CIDRTests {
    @Test("contains the addresses that share its prefix", arguments: containing)
    func contains(_ block: String, _ address: String, _ expected: Bool) throws {
        let address = try #require(IPAddress(parsing: address))
        #expect(try CIDR(parsing: block).contains(address) == expected)
    }

    static let containing: [(String, String, Bool)] = [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("0.0.0.0/0", "::ffff:1.2.3.4", true),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.0", false),
        ("192.0.2.0/31", "192.0.2.1", true),
        ("::/0", "2001:db8::1", true),
        ("::/0", "1.2.3.4", false),
        ("2001:db8::/32", "2001:db8:ffff::", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true),
        ("2001:db8::/64", "2001:db8:0:1::", false),
        ("2001:db8:0:0:8000::/65", "2001:db8::8000:0:0:1", true),
        ("2001:db8:0:0:8000::/65", "2001:db8::1", false),
        ("2001:db8::1", "2001:db8::1", true),
        ("2001:db8::1/128", "2001:db8::2", false),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:0:0/96", "255.1.2.3", true),
        ("::ffff:0:0/96", "::1", false),
    ]

    @Test("folds a peer's IPv4-mapped address")
    func unfolded() throws {
        #expect(try CIDR(parsing: "10.0.0.0/8").contains(.v6(0, 0xFFFF_0A01_0203)))
    }

    @Test("is refused with a flaw that says what to write instead", arguments: flaws)
    func flaw(_ text: String, _ expected: CIDRFlaw) {
        #expect(throws: expected) { try CIDR(parsing: text) }
    }

    static let flaws: [(String, CIDRFlaw)] = [
        ("", .notAnAddress),
        ("/8", .notAnAddress),
        ("10.0.0/8", .notAnAddress),
        ("10.0.0.0/8/8", .notAnAddress),
        ("10.0.0.0/", .prefixLength(atMost: 32)),
        ("10.0.0.0/33", .prefixLength(atMost: 32)),
        ("10.0.0.0/08", .prefixLength(atMost: 32)),
        ("10.0.0.0/+8", .prefixLength(atMost: 32)),
        ("10.0.0.0/-1", .prefixLength(atMost: 32)),
        ("10.0.0.0/99999999999999999999", .prefixLength(atMost: 32)),
        ("::/129", .prefixLength(atMost: 128)),
        ("10.1.2.3/8", .hostBits(suggestion: "10.0.0.0/8")),
        ("10.1.2.3/0", .hostBits(suggestion: "0.0.0.0/0")),
        ("2001:db8::1/32", .hostBits(suggestion: "2001:db8::/32")),
        ("2001:db8::1/127", .hostBits(suggestion: "2001:db8::/127")),
        ("::ffff:10.1.2.3/104", .hostBits(suggestion: "10.0.0.0/8")),
        ("::ffff:10.1.2.3/64", .hostBits(suggestion: "::/64")),
    ]

    @Test(
        "contains the blocks within it",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", true), ("10.1.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("10.0.0.0/8", "11.0.0.0/16", false), ("::/0", "0.0.0.0/0", false), ("::/0", "2001:db8::/32", true),
            ("0.0.0.0/0", "2001:db8::/32", false),
        ])
    func containsBlock(_ block: String, _ other: String, _ expected: Bool) throws {
        #expect(try CIDR(parsing: block).contains(try CIDR(parsing: other)) == expected)
    }
}
