import Identity
import Testing

@Suite("A time in a certificate")
struct CertificateTimeTests {
    @Test("is read as Unix seconds", arguments: times)
    func valid(_ time: [UInt8], _ expected: Int64) throws {
        var shape = CertificateShape.leaf()
        shape.validity = DER.sequence(time, DER.utcTime("300101000000Z"))
        let fields = try CertificateFields(shape.der)
        #expect(fields.notBefore == expected)
        #expect(fields.notAfter == 1_893_456_000)
    }

    static let times: [([UInt8], Int64)] = [
        (DER.utcTime("700101000000Z"), Int64(0)),
        (DER.utcTime("500101000000Z"), -631_152_000),
        (DER.utcTime("491231235959Z"), 2_524_607_999),
        (DER.utcTime("000229120000Z"), 951_825_600),
        (DER.utcTime("240301000000Z"), 1_709_251_200),
        (DER.generalizedTime("20240229235959Z"), 1_709_251_199),
        (DER.generalizedTime("20500101000000Z"), 2_524_608_000),
        (DER.generalizedTime("21000301000000Z"), 4_107_542_400),
        (DER.generalizedTime("99991231235959Z"), 253_402_300_799),
        (DER.generalizedTime("00000101000000Z"), -62_167_219_200),
        (DER.generalizedTime("19691231235959Z"), -1),
    ]

    @Test("that is not a valid time is malformed", arguments: notTimes)
    func invalid(_ time: [UInt8]) {
        for validity in [
            DER.sequence(time, DER.utcTime("300101000000Z")), DER.sequence(DER.utcTime("200101000000Z"), time),
        ] {
            var shape = CertificateShape.leaf()
            shape.validity = validity
            #expect(throws: SVIDRefusal.malformedCertificate) { try CertificateFields(shape.der) }
        }
    }

    static let notTimes: [[UInt8]] = [
        DER.utcTime("240101000000"), DER.utcTime("2401010000Z"), DER.utcTime("240101000000+0000"),
        DER.utcTime("240101000000z"), DER.utcTime("24010100000 Z"), DER.utcTime("240001000000Z"),
        DER.utcTime("241301000000Z"), DER.utcTime("240100000000Z"), DER.utcTime("240132000000Z"),
        DER.utcTime("230229000000Z"), DER.utcTime("240230000000Z"), DER.utcTime("240431000000Z"),
        DER.utcTime("240101240000Z"), DER.utcTime("240101006000Z"), DER.utcTime("240101000060Z"),
        DER.utcTime(""), DER.utcTime("-40101000000Z"), DER.utcTime("20240101000000Z"),
        DER.generalizedTime("240101000000Z"), DER.generalizedTime("20240101000000"),
        DER.generalizedTime("20240101000000.5Z"), DER.generalizedTime("21000229000000Z"),
        DER.element(0x0C, Array("240101000000Z".utf8)), DER.sequence(),
    ]
}
