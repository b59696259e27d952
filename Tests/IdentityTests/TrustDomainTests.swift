import Identity
import Testing

@Suite("A trust domain")
struct TrustDomainTests {
    @Test(
        "is a bare name of lower-case letters, digits, dots, hyphens and underscores",
        arguments: [
            "example.org", "a", "trust_domain-1.test", "..", "-", String(repeating: "a", count: 255),
        ])
    func valid(_ name: String) throws {
        #expect(try TrustDomain(parsing: name).name == name)
    }

    @Test(
        "is refused with a flaw that says what is wrong",
        arguments: [
            ("", SPIFFEIDFlaw.noTrustDomain),
            ("spiffe://example.org", .schemeInTrustDomain),
            ("example.org/a", .trustDomainByte(UInt8(ascii: "/"), offset: 11)),
            ("Example.org", .trustDomainByte(UInt8(ascii: "E"), offset: 0)),
            ("example.org:443", .trustDomainByte(UInt8(ascii: ":"), offset: 11)),
            (String(repeating: "a", count: 256), .trustDomainTooLong(bytes: 256)),
        ])
    func flaw(_ name: String, _ expected: SPIFFEIDFlaw) {
        #expect(throws: expected) { try TrustDomain(parsing: name) }
    }
}
