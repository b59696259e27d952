import Identity
import Testing

@Suite("A signing certificate")
struct SigningRuleTests {
    @Test("that satisfies every rule may sign for the trust domain", arguments: goodNames)
    func good(_ names: [[UInt8]]) throws {
        let fields = try CertificateFields(CertificateShape.signer(names).der)
        let trustDomain = try TrustDomain(parsing: "example.org")
        #expect(throws: Never.self) { try fields.checkSigning(of: trustDomain) }
    }

    static let goodNames: [[[UInt8]]] = [
        [],
        [DER.uri("spiffe://example.org")],
        [DER.element(0x82, Array("ca.example.org".utf8))],
        [DER.uri("https://ca.example.org/about"), DER.uri("https://ca.example.org/more")],
    ]

    @Test("is refused for its names", arguments: badNames)
    func refusedNames(_ names: [[UInt8]], _ expected: SVIDRefusal) throws {
        let fields = try CertificateFields(CertificateShape.signer(names).der)
        let trustDomain = try TrustDomain(parsing: "example.org")
        #expect(throws: expected) { try fields.checkSigning(of: trustDomain) }
    }

    static let badNames: [([[UInt8]], SVIDRefusal)] = [
        ([DER.uri("spiffe://example.org/a")], SVIDRefusal.signerWithPath),
        ([DER.uri("spiffe://partner.test")], .signerOfOtherDomain),
        ([DER.uri("spiffe://example.org/")], .signerIDInvalid),
        ([DER.uri("SPIFFE://example.org")], .signerIDInvalid),
        ([DER.uri("spiffe:example.org")], .signerIDInvalid),
        ([DER.uri("spiffe://example.org"), DER.uri("spiffe://example.org")], .signerIDInvalid),
        ([DER.uri("https://example.org"), DER.uri("spiffe://example.org")], .signerIDInvalid),
    ]

    @Test("is refused for its other extensions", arguments: badExtensions)
    func refusedExtensions(_ extensions: [[UInt8]], _ expected: SVIDRefusal) throws {
        let fields = try CertificateFields(CertificateShape(extensions: extensions).der)
        let trustDomain = try TrustDomain(parsing: "example.org")
        #expect(throws: expected) { try fields.checkSigning(of: trustDomain) }
    }

    static let badExtensions: [([[UInt8]], SVIDRefusal)] = [
        ([CertificateShape.keyUsage(.keyCertSign)], SVIDRefusal.signerNotCA),
        ([CertificateShape.keyUsage(.keyCertSign), CertificateShape.basicConstraints(isCA: false)], .signerNotCA),
        ([CertificateShape.basicConstraints(isCA: true)], .noKeyUsage),
        (
            [CertificateShape.basicConstraints(isCA: true), CertificateShape.keyUsage(.cRLSign)],
            .signerWithoutKeyCertSign
        ),
        (
            [CertificateShape.basicConstraints(isCA: true), CertificateShape.keyUsage(.digitalSignature)],
            .signerWithoutKeyCertSign
        ),
    ]
}
