import Testing
@testable import Crypto

@testable import TLS

@Suite("A peer that has the keys, and misuses them")
struct RecordAttackTests {
    @Test("cannot have any byte of a record changed", arguments: RecordCipher.allCases)
    func flips(cipher: RecordCipher) throws {
        for index in 0..<(5 + 40 + 17) {
            for bit in 0..<8 {
                let end = try RecordEnd(cipher)
                var forger = end.forger()
                var record = try forger.record([UInt8](repeating: 7, count: 40), .applicationData)
                record[index] ^= 1 << UInt8(bit)
                // The changed length may reach beyond the end: more bytes follow.
                let (plaintext, flaw) = end.open(record + [UInt8](repeating: 9, count: 70_000))
                #expect(plaintext.isEmpty)
                let length = Int(record[3]) << 8 | Int(record[4])
                #expect(flaw == (index == 0 ? .unexpectedRecordType : length > 16_401 ? .tooLong : .notAuthentic))
            }
        }
    }

    @Test("cannot leave a record out, repeat one, or change their order")
    func order() throws {
        for order in [[1], [0, 0], [0, 2], [1, 0]] {
            let end = try RecordEnd()
            var forger = end.forger()
            let records = try (0..<3).map { try forger.record([UInt8($0)], .applicationData) }
            #expect(end.open(order.flatMap { records[$0] }).flaw == .notAuthentic)
        }
    }

    @Test("has the bytes that it sent before its failure delivered to the application")
    func before() throws {
        let end = try RecordEnd()
        var forger = end.forger()
        let good = try forger.record([1, 2, 3], .applicationData)
        let (plaintext, flaw) = end.open(good + [23, 3, 3, 0, 17] + [UInt8](repeating: 0, count: 17))
        #expect(plaintext == [1, 2, 3])
        #expect(flaw == .notAuthentic)
    }

    @Test("is not waited for once its header is impossible")
    func early() throws {
        #expect(try RecordEnd().open([23, 3, 3, 0x40, 0x12]).flaw == .tooLong)
        #expect(try RecordEnd().open([23, 3, 3, 0, 16]).flaw == .notAuthentic)
        // A plaintext alert is not allowed after the handshake.
        #expect(try RecordEnd().open([21, 3, 3, 0, 2, 2, 40]).flaw == .unexpectedRecordType)
        #expect(try RecordEnd().open([20, 3, 3, 0, 1, 1]).flaw == .unexpectedRecordType)
        let end = try RecordEnd()
        #expect(end.open([23, 3, 3]).flaw == nil)
        #expect(end.open([0xff, 0xff]).flaw == .tooLong)
    }

    @Test(
        "may not put this into a record",
        arguments: [
            ([0], .unexpectedRecordType), ([0, 0, 0, 0], .unexpectedRecordType), ([20], .unexpectedRecordType),
            ([1, 20], .unexpectedRecordType), ([1, 24], .unexpectedRecordType), ([21], .unexpectedMessage),
            ([1, 21], .malformedAlert), ([1, 0, 0, 21], .malformedAlert), ([2, 40, 21], .peerAlert(40)),
            ([1, 80, 21], .peerAlert(80)), ([22], .unexpectedMessage), ([4, 0, 0, 1, 0, 22], .unexpectedMessage),
            ([24, 0, 0, 1, 2, 22], .illegalKeyUpdate), ([24, 0, 0, 2, 0, 0, 22], .malformedKeyUpdate),
            ([24, 0, 0, 1, 0, 0, 22], .keyUpdateNotLast), ([1, 0, 0, 0, 22], .unexpectedMessage),
        ] as [([UInt8], RecordFlaw)])
    func inner(bytes: [UInt8], expected: RecordFlaw) throws {
        let end = try RecordEnd()
        var forger = end.forger()
        #expect(end.open(try forger.record(bytes)).flaw == expected)
    }

    @Test("may pad a record to its full size, and no further")
    func padding() throws {
        let end = try RecordEnd()
        var forger = end.forger()
        #expect(end.open(try forger.record([1], .applicationData, padding: 16_383)) == ([1], nil))
        #expect(end.open(try forger.record([2], .applicationData, padding: 16_384)).flaw == .tooLong)
    }

    @Test("sends an empty record now and then, but not for ever")
    func empty() throws {
        let end = try RecordEnd()
        var forger = end.forger()
        for round in 0..<5 {
            for _ in 0..<32 { #expect(end.open(try forger.record([], .applicationData, padding: round)) == ([], nil)) }
            #expect(end.open(try forger.record([5], .applicationData)) == ([5], nil))
        }
        var flood: [UInt8] = []
        for _ in 0..<1_000 { flood += try forger.record([], .applicationData) }
        #expect(end.open(flood).flaw == .tooManyEmptyRecords)
        #expect(end.layer.receiving.sequence == 5 * 33 + 33)
    }

    @Test("may cancel a few times, which ends nothing")
    func userCanceled() throws {
        let end = try RecordEnd()
        var forger = end.forger()
        for _ in 0..<5 { #expect(end.open(try forger.record([1, 90], .alert)).flaw == nil) }
        #expect(end.open(try forger.record([1, 90], .alert)).flaw == .tooManyWarnings)
    }

    @Test("may not put another record into the middle of a message")
    func interleaved() throws {
        for type in [RecordContentType.applicationData, .alert] {
            let end = try RecordEnd()
            var forger = end.forger()
            #expect(end.open(try forger.record([24, 0, 0], .handshake)).flaw == nil)
            #expect(end.open(try forger.record([1, 90], type)).flaw == .unexpectedMessage)
        }
    }

    @Test("may change its key often, but not all the time", arguments: [true, false])
    func keyUpdates(requestingAnswer: Bool) throws {
        let end = try RecordEnd()
        var forger = end.forger()
        for round in 0..<40 as Range<UInt8> {
            let update = try forger.keyUpdate(requestingAnswer: requestingAnswer)
            let data = try forger.record([round], .applicationData)
            #expect(end.open(update + data) == ([round], nil))
        }
        // However often it asks, one reply goes out, with our next bytes.
        let sealed = try end.seal([1])
        #expect(sealed.count == (requestingAnswer ? 27 : 0) + 23)
        #expect(try end.seal([1]).count == 23)
        var flood: [UInt8] = []
        for _ in 0..<17 { flood += try forger.keyUpdate(requestingAnswer: requestingAnswer) }
        #expect(end.open(flood).flaw == .tooManyMessages)
    }

    @Test("may send tickets, even in small pieces, and we ignore them")
    func tickets() throws {
        let end = try RecordEnd(acceptsTickets: true)
        var forger = end.forger()
        let ticket = [4, 0, 1, 0] + [UInt8](repeating: 3, count: 256)
        #expect(end.open(try forger.record(ticket, .handshake)).flaw == nil)
        for byte in ticket { #expect(end.open(try forger.record([byte], .handshake)).flaw == nil) }
        #expect(end.open(try forger.record([1], .applicationData)).plaintext == [1])
        #expect(end.open(try forger.record([UInt8](repeating: 4, count: 1), .handshake)).flaw == nil)
        #expect(end.open(try forger.record([0, 64, 1], .handshake)).flaw == .messageTooLarge)
    }

    @Test("has its partial records held only while they are partial")
    func blocks() throws {
        let end = try RecordEnd()
        var forger = end.forger()
        let record = try forger.record([UInt8](repeating: 3, count: 9_000), .applicationData)
        for cut in [1, 4, 5, 6, 8_000] {
            let (record, cut) = (cut == 1 ? record : try forger.record([1, 2, 3], .applicationData), min(cut, 24))
            #expect(end.open(Array(record[..<cut])).plaintext.isEmpty)
            let isHeld = end.layer.holdsPartialRecord
            #expect(isHeld)
            #expect(end.open(Array(record[cut...])).flaw == nil)
            let isStillHeld = end.layer.holdsPartialRecord
            #expect(!isStillHeld)
        }
    }

    @Test("gets the right alert, and the log its stable code")
    func alerts() {
        let table: [(RecordFlaw, UInt8?, String)] = [
            (.unexpectedRecordType, 10, "bad-record"), (.tooLong, 22, "bad-record"),
            (.notAuthentic, 20, "bad-record"), (.tooManyEmptyRecords, 10, "protocol-violation"),
            (.malformedAlert, 50, "protocol-violation"), (.tooManyWarnings, 10, "protocol-violation"),
            (.unexpectedMessage, 10, "unexpected-message"), (.messageTooLarge, 47, "message-too-large"),
            (.malformedKeyUpdate, 50, "protocol-violation"), (.illegalKeyUpdate, 47, "protocol-violation"),
            (.keyUpdateNotLast, 10, "protocol-violation"), (.tooManyMessages, 10, "too-many-requests"),
            (.malformedTicket, 50, "protocol-violation"), (.peerAlert(42), nil, "peer-alert"),
            (.fault(.crypto(.outOfMemory)), 80, "tls-fault"),
        ]
        for (flaw, alert, code) in table {
            #expect(flaw.alert == alert)
            #expect(TLSFailure(flaw).code == code)
        }
    }
}
