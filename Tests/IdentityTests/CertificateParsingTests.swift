import Identity
import PosternTesting
import Testing

@Suite("A certificate")
struct CertificateParsingTests {
    @Test("made by openssl is read as openssl prints it")
    func real() throws {
        let leaf = try CertificateFields(RealCertificates.leaf)
        #expect(try leaf.leafIdentity().description == "spiffe://example.org/ns/default/sa/server")
        #expect(leaf.serialNumber.count == 20)
        #expect(leaf.serialNumber.prefix(4) == [0x1D, 0xB2, 0x42, 0xFE])
        #expect(leaf.notBefore == 1_795_464_123)
        #expect(leaf.notAfter == 4_949_064_123)

        let signer = try CertificateFields(RealCertificates.signer)
        try signer.checkSigning(of: TrustDomain(parsing: "example.org"))
        #expect(signer.serialNumber.first == 0x08)

        let rsaLeaf = try CertificateFields(RealCertificates.rsaLeaf)
        #expect(try rsaLeaf.leafIdentity().path == "/ns/default/sa/server")
        #expect(rsaLeaf.serialNumber == [0x80, 0xFF])
        #expect(rsaLeaf.notAfter == 2_110_824_123)
    }

    static let samples = [
        RealCertificates.leaf, RealCertificates.signer, RealCertificates.rsaLeaf, CertificateShape.leaf().der,
        CertificateShape.signer([DER.uri("spiffe://example.org")]).der,
    ]

    @Test("cut at any byte is malformed", arguments: samples)
    func truncated(_ der: [UInt8]) {
        for count in der.indices {
            #expect(throws: SVIDRefusal.malformedCertificate) {
                try CertificateFields(Array(der.prefix(count)))
            }
        }
    }

    @Test("followed by a byte is malformed", arguments: samples)
    func extended(_ der: [UInt8]) {
        #expect(throws: SVIDRefusal.malformedCertificate) { try CertificateFields(der + [0]) }
    }

    @Test("with any one byte changed is read or refused", arguments: samples)
    func mutated(_ der: [UInt8]) {
        let changes: [UInt8] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF]
        var refused = 0
        for index in der.indices {
            for change in changes {
                var mutant = der
                mutant[index] ^= change
                refused += Self.isRefused(mutant) ? 1 : 0
            }
        }
        #expect(refused > 0)
    }

    @Test("with random bytes changed is read or refused", arguments: 0..<4)
    func scrambled(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            var mutant = Self.samples.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 2...6, using: &generator) {
                let index = Int.random(in: mutant.indices, using: &generator)
                mutant[index] =
                    [0x00, 0x7F, 0x80, 0x84, 0xFF, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            _ = Self.isRefused(mutant)
        }
    }

    /// Reads a certificate in every way; a trap ends the test.
    private static func isRefused(_ der: [UInt8]) -> Bool {
        guard let fields = try? CertificateFields(der) else { return true }
        guard let trustDomain = try? TrustDomain(parsing: "example.org") else { return true }
        return (try? fields.checkSigning(of: trustDomain)) == nil && (try? fields.leafIdentity()) == nil
    }

    @Test("whose parts break the grammar is malformed", arguments: oddShapes)
    func malformed(_ shape: CertificateShape, _ why: String) {
        #expect(throws: SVIDRefusal.malformedCertificate, "\(why)") { try CertificateFields(shape.der) }
    }

    static let oddShapes: [(CertificateShape, String)] = [
        (shape { $0.version = [] }, "extensions in version 1"),
        (shape { $0.version = DER.element(0xA0, DER.integer(1)) }, "extensions in version 2"),
        (
            shape {
                $0.version = DER.element(0xA0, DER.integer(0)); $0.extensions = []
            }, "a default written out"
        ),
        (shape { $0.version = DER.element(0xA0, DER.integer(3)) }, "an unknown version"),
        (shape { $0.version = DER.element(0xA0, DER.integer(0, 2)) }, "a padded version"),
        (shape { $0.serialNumber = DER.integer() }, "an empty serial number"),
        (shape { $0.serialNumber = DER.integer(0x80) }, "a negative serial number"),
        (shape { $0.serialNumber = DER.integer(0, 0x7F) }, "a padded serial number"),
        (shape { $0.serialNumber = DER.element(0x02, Array(repeating: 1, count: 21)) }, "a serial number of 21 bytes"),
        (shape { $0.serialNumber = DER.element(0x0A, [1]) }, "an enumerated serial number"),
        (shape { $0.validity = DER.sequence(DER.utcTime("240101000000Z")) }, "one time only"),
        (
            shape { $0.validity = DER.sequence(of: Array(repeating: DER.utcTime("240101000000Z"), count: 3)) },
            "three times"
        ),
        (shape { $0.trailer = DER.integer(0) }, "an element after the extensions"),
        (shape { $0.uniqueIDs = DER.element(0x83, [0]) }, "an unknown element before the extensions"),
        (shape { $0.extensions.append($0.extensions[0]) }, "one extension twice"),
        (
            shape { $0.extensions += Array(repeating: DER.extension([0x2A, 1], []), count: 2) },
            "an unknown extension twice"
        ),
        (shape { $0.extensions += (0..<63).map { DER.extension([0x2A, $0], []) } }, "65 extensions"),
        (shape { $0.extensions = [DER.extension([], [])] }, "an extension with an empty identifier"),
        (shape { $0.extensions = [DER.sequence()] }, "an extension without an identifier"),
        (shape { $0.extensions = [DER.sequence(DER.element(0x06, [0x2A]))] }, "an extension without a value"),
        (
            shape {
                $0.extensions = [DER.sequence(DER.element(0x06, [0x2A]), DER.element(0x01, [1]), DER.element(0x04, []))]
            },
            "a critical flag that is neither true nor false"
        ),
        (shape { $0.extensions = [CertificateShape.alternativeNames([])] }, "no names"),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([DER.element(0xA6, DER.uri("spiffe://a/b"))])] },
            "a URI in parts"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([DER.element(0x89, [])])] },
            "an unknown kind of name"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([[0x9F, 0x20, 0x00]])] },
            "a tag of several bytes"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([[0x86, 0x80, 0x00, 0x00]])] },
            "an indefinite length"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([[0x86, 0x81, 0x01, 0x61]])] },
            "a length with a needless byte"
        ),
        (
            shape {
                $0.extensions = [
                    CertificateShape.alternativeNames([[0x86, 0x82, 0x00, 0x80] + Array(repeating: 0x61, count: 128)])
                ]
            },
            "a length with a leading zero byte"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([[0x86, 0x85, 0, 0, 0, 0, 1, 0x61]])] },
            "a length of five bytes"
        ),
        (
            shape { $0.extensions = [CertificateShape.alternativeNames([[0x86, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]])] },
            "a length beyond the end"
        ),
        (
            shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x11], DER.sequence(DER.uri("spiffe://a/b")) + [0])] },
            "bytes after the names"
        ),
        (
            shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x0F], DER.bitString(unusedBits: 8, [0]))] },
            "eight unused bits"
        ),
        (
            shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x0F], DER.bitString(unusedBits: 1, []))] },
            "unused bits of nothing"
        ),
        (
            shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x0F], DER.bitString(unusedBits: 4, [0x88]))] },
            "padding that is set"
        ),
        (shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x0F], DER.element(0x03, []))] }, "an empty bit string"),
        (shape { $0.extensions = [DER.extension([0x55, 0x1D, 0x25], DER.sequence())] }, "no purposes"),
        (
            shape {
                $0.extensions = [DER.extension([0x55, 0x1D, 0x13], DER.sequence(DER.integer(1), DER.boolean(true)))]
            }, "constraints in disorder"
        ),
        (
            shape {
                $0.extensions = [DER.extension([0x55, 0x1D, 0x13], DER.sequence(DER.boolean(true), DER.integer(0x80)))]
            }, "a negative path length"
        ),
    ]

    private static func shape(_ change: (inout CertificateShape) -> Void) -> CertificateShape {
        var shape = CertificateShape.leaf()
        change(&shape)
        return shape
    }

    @Test("longer than 64 KiB is malformed")
    func tooLong() {
        var shape = CertificateShape.leaf()
        shape.extensions.append(DER.extension([0x2A, 1], Array(repeating: 0, count: 65_536)))
        #expect(throws: SVIDRefusal.malformedCertificate) { try CertificateFields(shape.der) }
    }

    @Test("may have unique identifiers")
    func uniqueIDs() throws {
        let shape = Self.shape { $0.uniqueIDs = DER.element(0x81, [0, 1]) + DER.element(0x82, [0, 1]) }
        #expect(try CertificateFields(shape.der).leafIdentity().path == "/ns/default/sa/a")
    }
}
