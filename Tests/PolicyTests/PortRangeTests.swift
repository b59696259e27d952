import Policy
import Testing

@Suite("A range of ports")
struct PortRangeTests {
    @Test("contains its ends and what is between them")
    func contains() throws {
        let range = try PortRange(parsing: "8000-8999")
        #expect([7999, 8000, 8999, 9000].map { range.contains(UInt16($0)) } == [false, true, true, false])
        #expect(try PortRange(parsing: "65535").contains(65535))
        #expect(range.description == "8000-8999")
        #expect(try PortRange(parsing: "8000-8000").description == "8000")
    }

    @Test("is refused with a flaw that says what to write instead", arguments: flaws)
    func flaw(_ text: String, _ expected: PortRangeFlaw) {
        #expect(throws: expected) { try PortRange(parsing: text) }
    }

    static let flaws: [(String, PortRangeFlaw)] =
        ["", "-", "0", "65536", "80-", "-80", "1-2-3", "080", "+80", "8 0", "http", "0-80"].map { ($0, .notAPort) }
        + [("443-80", .reversed(suggestion: "80-443"))]
}
