import Testing

@testable import Identity

@Suite("CRLs")
struct RevocationListTests {
    private static let time: [UInt8] = DER.element(0x17, Array("300101000000Z".utf8))

    private static func list(
        version: [UInt8] = DER.element(0x02, [1]), entries: [[UInt8]] = [], extensions: [UInt8] = [],
        nextUpdate: [UInt8] = time
    ) -> [UInt8] {
        let algorithm = DER.element(0x30, [])
        let revoked = entries.isEmpty ? [] : DER.element(0x30, entries.flatMap(\.self))
        let signed = DER.element(
            0x30, version + algorithm + DER.element(0x30, [0x31, 0x00]) + time + nextUpdate + revoked + extensions)
        return DER.element(0x30, signed + algorithm + DER.element(0x03, [0, 1]))
    }

    private static func entry(_ serial: [UInt8], _ extensions: [UInt8] = []) -> [UInt8] {
        DER.element(0x30, DER.element(0x02, serial) + time + extensions)
    }

    private static func critical(_ isCritical: Bool) -> [UInt8] {
        let flag = isCritical ? DER.element(0x01, [0xFF]) : []
        return DER.element(
            0x30,
            DER.element(0x30, DER.element(0x06, [0x55, 0x1D, 0x14]) + flag + DER.element(0x04, [0x02, 0x01, 0x05])))
    }

    @Test("list revoked serial numbers, their issue time and their next update")
    func whole() throws {
        let serials: [[UInt8]] = [[9], [1, 2, 3], [0x00, 0xFF], [4]]
        let list = try RevocationList(
            parsing: Self.list(
                entries: serials.map { Self.entry($0, Self.critical(false)) },
                extensions: DER.element(0xA0, Self.critical(false))))
        #expect(list.revokedCount == 4)
        #expect(list.thisUpdate == 1_893_456_000 && list.nextUpdate == 1_893_456_000)
        #expect(list.issuer == [0x30, 0x02, 0x31, 0x00])
        for serial in serials { #expect(list.contains(try #require(SerialNumber(serial)))) }
        for other in [[1], [5], [10], [1, 2], [0xFE]] as [[UInt8]] {
            #expect(!list.contains(try #require(SerialNumber(other))))
        }
    }

    @Test("may be empty, of version 1, and without a next update")
    func least() throws {
        let list = try RevocationList(parsing: Self.list(version: [], nextUpdate: []))
        #expect(list.revokedCount == 0 && list.nextUpdate == nil)
    }

    @Test("with an unknown critical extension are not misread", arguments: [true, false])
    func criticalExtensions(ofEntry: Bool) {
        let bytes =
            ofEntry
            ? Self.list(entries: [Self.entry([1], Self.critical(true))])
            : Self.list(extensions: DER.element(0xA0, Self.critical(true)))
        #expect(throws: RevocationListFlaw.unknownCriticalExtension) { try RevocationList(parsing: bytes) }
    }

    @Test("that are truncated anywhere are refused")
    func cut() {
        let whole = Self.list(entries: [Self.entry([1]), Self.entry([2])])
        for count in 0..<whole.count {
            #expect(throws: RevocationListFlaw.malformed) { try RevocationList(parsing: Array(whole.prefix(count))) }
        }
        #expect(throws: RevocationListFlaw.malformed) { try RevocationList(parsing: whole + [0]) }
    }

    @Test("order serial numbers as numbers")
    func order() throws {
        let numbers = try [[0], [1], [255], [1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0], Array(repeating: 255, count: 20)].map {
            try #require(SerialNumber($0 as [UInt8]))
        }
        #expect(numbers == numbers.shuffled().sorted())
        #expect(SerialNumber([0, 0, 7] as [UInt8]) == SerialNumber([7] as [UInt8]))
        #expect(SerialNumber(Array(repeating: 1, count: 21) as [UInt8]) == nil)
    }
}
