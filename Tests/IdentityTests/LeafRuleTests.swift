import Identity
import Testing

@Suite("A leaf certificate")
struct LeafRuleTests {
    @Test("that satisfies every rule has its identity")
    func good() throws {
        let fields = try CertificateFields(CertificateShape.leaf().der)
        #expect(try fields.leafIdentity().description == "spiffe://example.org/ns/default/sa/a")
        #expect(fields.serialNumber == [1, 2])
    }

    @Test("may have names of other kinds beside its ID")
    func otherNames() throws {
        let names = [
            DER.element(0x82, Array("orders.internal".utf8)), DER.element(0x81, Array("a@example.org".utf8)),
            DER.uri("spiffe://example.org/a"), DER.element(0x87, [127, 0, 0, 1]), DER.element(0xA4, DER.sequence()),
            DER.element(0xA0, []), DER.element(0xA3, []), DER.element(0xA5, []), DER.element(0x88, [0x2A]),
        ]
        let fields = try CertificateFields(CertificateShape.leaf(names).der)
        #expect(try fields.leafIdentity().path == "/a")
    }

    @Test("is refused for its names", arguments: names)
    func refusedNames(_ names: [[UInt8]], _ expected: SVIDRefusal) throws {
        let fields = try CertificateFields(CertificateShape.leaf(names).der)
        #expect(throws: expected) { try fields.leafIdentity() }
        // The claim alone does not check the path.
        if expected != .leafWithoutPath { #expect(throws: expected) { try fields.claimedIdentity() } }
    }

    static let names: [([[UInt8]], SVIDRefusal)] = [
        ([DER.element(0x82, Array("spiffe://example.org/a".utf8))], .noURISAN),
        ([DER.element(0x81, Array("spiffe://example.org/a".utf8))], .noURISAN),
        ([DER.element(0xA0, DER.uri("spiffe://example.org/a"))], .noURISAN),
        ([DER.uri("spiffe://example.org/a"), DER.uri("spiffe://example.org/b")], .severalURISANs),
        ([DER.uri("spiffe://example.org/a"), DER.uri("spiffe://example.org/a")], .severalURISANs),
        ([DER.uri("spiffe://example.org/a"), DER.uri("https://example.org/a")], .severalURISANs),
        ([DER.uri("https://example.org/a"), DER.uri("spiffe://example.org/a")], .severalURISANs),
        ([DER.uri("https://example.org/a")], .notASPIFFEID),
        ([DER.uri("")], .notASPIFFEID),
        ([DER.uri("spiffe://example.org/a\0")], .notASPIFFEID),
        ([DER.uri("spiffe://example.org/a\0.evil.test")], .notASPIFFEID),
        ([DER.uri("spiffe://example.org/\u{E9}")], .notASPIFFEID),
        ([DER.element(0x86, Array("spiffe://example.org/".utf8) + [0xFF])], .notASPIFFEID),
        ([DER.uri("SPIFFE://example.org/a")], .notASPIFFEID),
        ([DER.uri("spiffe://example.org/" + String(repeating: "a", count: 2028))], .notASPIFFEID),
        ([DER.uri("spiffe://example.org")], .leafWithoutPath),
    ]

    @Test("is refused for its other extensions", arguments: extensions)
    func refusedExtensions(_ extensions: [[UInt8]], _ expected: SVIDRefusal) throws {
        var shape = CertificateShape.leaf()
        shape.extensions = [shape.extensions[1]] + extensions
        let fields = try CertificateFields(shape.der)
        #expect(throws: expected) { try fields.leafIdentity() }
    }

    static let extensions: [([[UInt8]], SVIDRefusal)] = [
        ([], .noKeyUsage),
        ([CertificateShape.keyUsage()], .noDigitalSignature),
        ([CertificateShape.keyUsage(.keyEncipherment)], .noDigitalSignature),
        ([CertificateShape.keyUsage(.decipherOnly)], .noDigitalSignature),
        ([CertificateShape.keyUsage(.digitalSignature, .keyCertSign)], .leafMaySign),
        ([CertificateShape.keyUsage(.digitalSignature, .cRLSign)], .leafMaySign),
        ([CertificateShape.keyUsage(.digitalSignature), CertificateShape.basicConstraints(isCA: true)], .leafIsCA),
        ([CertificateShape.keyUsage(.digitalSignature), CertificateShape.extendedKeyUsage(1)], .extendedKeyUsage),
        ([CertificateShape.keyUsage(.digitalSignature), CertificateShape.extendedKeyUsage(2)], .extendedKeyUsage),
        ([CertificateShape.keyUsage(.digitalSignature), CertificateShape.extendedKeyUsage(3, 4)], .extendedKeyUsage),
        // anyExtendedKeyUsage (2.5.29.37.0) is neither of the two.
        (
            [
                CertificateShape.keyUsage(.digitalSignature),
                DER.extension([0x55, 0x1D, 0x25], DER.sequence(DER.element(0x06, [0x55, 0x1D, 0x25, 0x00]))),
            ], .extendedKeyUsage
        ),
    ]

    @Test("may have extensions that change nothing", arguments: harmless)
    func harmlessExtensions(_ extensions: [[UInt8]]) throws {
        var shape = CertificateShape.leaf()
        shape.extensions += extensions
        #expect(try CertificateFields(shape.der).leafIdentity().path == "/ns/default/sa/a")
    }

    static let harmless: [[[UInt8]]] = [
        [CertificateShape.basicConstraints(isCA: false)],
        [CertificateShape.extendedKeyUsage(1, 2)],
        [CertificateShape.extendedKeyUsage(2, 3, 1)],
        [DER.extension([0x55, 0x1D, 0x0E], [0xFF])],
        [DER.extension([0x2B, 0x06, 0x01], critical: true, [])],
    ]

    @Test("without extensions claims nothing")
    func noExtensions() throws {
        let fields = try CertificateFields(CertificateShape(version: []).der)
        #expect(throws: SVIDRefusal.noURISAN) { try fields.leafIdentity() }
    }
}
