import Glibc
import Policy
import PosternTesting
import Testing

@Suite("An IP address")
struct IPAddressTests {
    @Test(
        "is read in every text form and written in the canonical one",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"), ("0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::1.2.3.4", "::102:304"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.description == expected)
        #expect(IPAddress(parsing: expected) == address)
    }

    @Test(
        "is refused unless the text is exactly one",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "00.0.0.0", "1.2.3.4 ", " 1.2.3.4", "1..2.3",
            "1.2.3.",
            "0x1.2.3.4", "1.2.3.4/8", "+1.2.3.4", "1.2.3.1000", "\u{661}.2.3.4",
            ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8", "1:::2", "fe80::1%eth0", "[::1]", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3.04", "::1/64",
        ])
    func refused(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test("made of random pieces is read as the C library reads it", arguments: 0..<4)
    func agreesWithTheCLibrary(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = ["0", "1", "12", "255", "256", "ffff", "a", ".", ".", ":", ":", ":", "::", "1.2.3.4"]
        var valid = 0
        for _ in 0..<20_000 {
            let separator = generator.pick(["", "", ":", "."])
            let count = Int.random(in: 1...9, using: &generator)
            let text = (0..<count).map { _ in generator.pick(pieces) }.joined(separator: separator)
            let address = IPAddress(parsing: text)
            #expect(address == Self.oracle(text), "\(text)")
            valid += address == nil ? 0 : 1
        }
        #expect(valid > 300)
    }

    /// The address that inet_pton reads.
    private static func oracle(_ text: String) -> IPAddress? {
        var v4 = in_addr()
        // Safe: inet_pton writes four bytes, the size of an in_addr.
        if unsafe inet_pton(AF_INET, text, &v4) == 1 { return .v4(UInt32(bigEndian: v4.s_addr)) }
        var v6: [2 of UInt64] = [0, 0]
        // Safe: inet_pton writes sixteen bytes, the size of two UInt64.
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return IPAddress(high: UInt64(bigEndian: v6[0]), low: UInt64(bigEndian: v6[1]))
    }
}
