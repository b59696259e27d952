import PosternTesting
import Testing

@testable import TLS

/// Runs `body` over the bytes of an array.
func over<Value>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(RecordFlaw) -> Value
) throws(RecordFlaw) -> Value {
    // Safe: the array lives for the call.
    unsafe try bytes.span.bytes.withUnsafeBytes { (bytes) throws(RecordFlaw) in unsafe try body(bytes) }
}

/// What `body` throws.
func flaw(_ body: () throws(RecordFlaw) -> Void) -> RecordFlaw? {
    do throws(RecordFlaw) { try body() } catch { return error }
    return nil
}

@Suite("The format of protected records")
struct RecordFormatTests {
    private func header(_ bytes: [UInt8]) throws(RecordFlaw) -> RecordHeader {
        unsafe try over(bytes) { (bytes) throws(RecordFlaw) in unsafe try RecordHeader(parsing: bytes) }
    }

    @Test("bounds a record's length", arguments: [0, 1, 16, 17, 18, 16_384, 16_401, 16_402, 16_640, 16_641, 65_535])
    func lengths(count: Int) {
        let bytes: [UInt8] = [23, 3, 3, UInt8(count >> 8), UInt8(count & 255)]
        let found = flaw { () throws(RecordFlaw) in #expect(try header(bytes).recordBytes == count + 5) }
        #expect(found == (count < 17 ? .notAuthentic : count > 16_401 ? .tooLong : nil))
    }

    @Test("takes records of application data alone", arguments: 0...255 as ClosedRange<UInt8>)
    func types(type: UInt8) {
        let found = flaw { () throws(RecordFlaw) in _ = try header([type, 3, 3, 0, 20]) }
        #expect(found == (type == 23 ? nil : .unexpectedRecordType))
    }

    @Test("leaves the version to the tag")
    func versions() throws { #expect(try header([23, 9, 9, 0, 20]).bodyBytes == 20) }

    @Test("finds the type before the padding", arguments: [0, 1, 7, 16_000])
    func padding(zeros: Int) throws {
        for type in [21, 22, 23] as [UInt8] {
            let bytes = [0, 5, 0, type] + [UInt8](repeating: 0, count: zeros)
            let inner = unsafe try over(bytes) { (bytes) throws(RecordFlaw) in unsafe try InnerPlaintext(parsing: bytes)
            }
            #expect(inner.type.rawValue == type)
            #expect(inner.contentBytes == 3)
        }
    }

    @Test("refuses a record of zeros, and one of any other type", arguments: [0, 1, 20, 24, 255] as [UInt8])
    func innerTypes(type: UInt8) {
        let found = flaw { () throws(RecordFlaw) in
            _ = unsafe try over([type, 0, 0]) { (bytes) throws(RecordFlaw) in unsafe try InnerPlaintext(parsing: bytes)
            }
        }
        #expect(found == .unexpectedRecordType)
    }

    @Test("folds a record's number into its nonce, and never uses one twice")
    func nonces() throws {
        let iv: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        func nonces(from sequence: UInt64) throws -> RecordNonces {
            unsafe try over(iv) { (bytes) in unsafe RecordNonces(iv: bytes, sequence: sequence) }
        }
        func bytes(_ nonce: RecordNonces.Nonce) -> [UInt8] {
            // Safe: three words are twelve bytes without padding.
            var nonce = nonce
            return unsafe withUnsafeBytes(of: &nonce) { unsafe Array($0) }
        }
        var some = try nonces(from: 0)
        #expect(try bytes(some.next()) == iv)
        #expect(try bytes(some.next()) == iv.dropLast() + [13])
        #expect(some.sequence == 2)
        var later = try nonces(from: 0x0102_0304_0506_0708)
        #expect(try bytes(later.next()) == [1, 2, 3, 4, 4, 4, 4, 12, 12, 12, 12, 4])
        var last = try nonces(from: .max - 1)
        #expect(throws: Never.self) { try last.next() }
        #expect(throws: RecordFlaw.fault(.recordNumbersUsedUp)) { try last.next() }
        #expect(throws: RecordFlaw.fault(.recordNumbersUsedUp)) { try last.next() }
    }

    @Test("counts whole records, and nothing else")
    func counts() throws {
        func count(_ bytes: [UInt8]) throws -> UInt64? {
            unsafe try over(bytes) { (bytes) in unsafe RecordHeader.count(in: bytes) }
        }
        let record = [23, 3, 3, 0, 20] + [UInt8](repeating: 1, count: 20)
        #expect(try count([]) == 0)
        #expect(try count(record) == 1)
        #expect(try count(record + record + record) == 3)
        #expect(try count(record + record.dropLast()) == nil)
        #expect(try count(record + [23, 3]) == nil)
        #expect(try count([20, 3, 3, 0, 1, 1] + record) == nil)
    }
}

@Suite("A line of the key log")
struct KeyLogLineTests {
    private let random = String(repeating: "0f", count: 32)

    private func parse(_ text: String) throws -> KeyLogLine? {
        unsafe try over(Array(text.utf8)) { (bytes) in unsafe KeyLogLine(parsing: bytes) }
    }

    @Test("gives the secrets of application data", arguments: [32, 48])
    func secrets(count: Int) throws {
        let secret = String(repeating: "a5", count: count)
        let client = try #require(try parse("CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)"))
        #expect(client.sender == .client)
        #expect(client.secret == 89..<(89 + count * 2))
        #expect(try parse("SERVER_TRAFFIC_SECRET_0 \(random) \(secret)")?.sender == .server)
    }

    @Test(
        "gives nothing else",
        arguments: [
            "", "CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "EXPORTER_SECRET", "CLIENT_TRAFFIC_SECRET_1", "client_traffic_secret_0",
        ])
    func others(label: String) throws {
        #expect(try parse("\(label) \(random) \(String(repeating: "a5", count: 32))") == nil)
    }

    @Test("of another length is left alone", arguments: [0, 31, 33, 47, 64])
    func lengths(count: Int) throws {
        #expect(try parse("CLIENT_TRAFFIC_SECRET_0 \(random) \(String(repeating: "a5", count: count))") == nil)
    }

    @Test("has its secret in hexadecimal")
    func hex() throws {
        #expect(secretBytes(hex: "00ff10a9") == [0, 255, 16, 169])
        for wrong in ["0", "0g", "0G", "zz", "0 "] { #expect(secretBytes(hex: wrong) == nil) }
    }
}

/// The bytes that a secret made from `hex` has.
func secretBytes(hex: String) -> [UInt8]? {
    // Safe: the array and the secret live for the closure.
    unsafe Array(hex.utf8).withUnsafeBytes { digits in
        guard let secret = unsafe SecretBytes(hex: digits) else { return nil }
        return unsafe Array(secret.bytes)
    }
}

@Suite("A message after the handshake")
struct PostHandshakeMessagesTests {
    private typealias Found = PostHandshakeMessages.Found

    private func read(_ messages: inout PostHandshakeMessages, _ bytes: [UInt8]) throws(RecordFlaw) -> Found {
        unsafe try over(bytes) { (bytes) throws(RecordFlaw) in unsafe try messages.read(bytes) }
    }

    private static func ticket(_ count: Int) -> [UInt8] {
        [4, 0, UInt8(count >> 8), UInt8(count & 255)] + [UInt8](repeating: 24, count: count)
    }

    @Test("is a ticket or a key update, wherever records split it")
    func cuts() throws {
        let stream = Self.ticket(3) + Self.ticket(20) + [24, 0, 0, 1, 1]
        for first in 1..<stream.count {
            for second in first..<stream.count {
                var messages = PostHandshakeMessages(acceptsTickets: true)
                var found: [Found] = []
                for part in [stream[..<first], stream[first..<second], stream[second...]] where !part.isEmpty {
                    #expect(found.allSatisfy { $0.keyUpdate == nil })
                    found.append(try read(&messages, Array(part)))
                }
                #expect(found.reduce(0) { $0 + $1.messages } == 3)
                #expect(found.last?.keyUpdate == .requested)
                #expect(!messages.isPartial)
            }
        }
    }

    @Test("is known to be incomplete")
    func partial() throws {
        var messages = PostHandshakeMessages(acceptsTickets: true)
        for byte in Self.ticket(5).dropLast() {
            _ = try read(&messages, [byte])
            #expect(messages.isPartial)
        }
        _ = try read(&messages, [0])
        #expect(!messages.isPartial)
    }

    @Test(
        "is refused when it is malformed or not allowed",
        arguments: [
            ([], .unexpectedMessage), ([1, 0, 0, 0], .unexpectedMessage), ([20], .unexpectedMessage),
            ([13, 0, 0, 1, 0], .unexpectedMessage), ([24, 0, 0, 0], .malformedKeyUpdate),
            ([24, 0, 0, 2, 0, 0], .malformedKeyUpdate), ([24, 1, 0, 1, 0], .malformedKeyUpdate),
            ([24, 0, 0, 1, 2], .illegalKeyUpdate), ([24, 0, 0, 1, 255], .illegalKeyUpdate),
            ([24, 0, 0, 1, 0, 24], .keyUpdateNotLast), ([24, 0, 0, 1, 0, 24, 0, 0, 1, 0], .keyUpdateNotLast),
            ([4, 0, 64, 1], .messageTooLarge), ([4, 1, 0, 0], .messageTooLarge), ([4, 0, 0, 0], .malformedTicket),
        ] as [([UInt8], RecordFlaw)])
    func refused(bytes: [UInt8], expected: RecordFlaw) {
        var messages = PostHandshakeMessages(acceptsTickets: true)
        #expect(flaw { () throws(RecordFlaw) in _ = try read(&messages, bytes) } == expected)
    }

    @Test("is no ticket when it comes from a client")
    func clientTicket() {
        var messages = PostHandshakeMessages(acceptsTickets: false)
        #expect(flaw { () throws(RecordFlaw) in _ = try read(&messages, Self.ticket(5)) } == .unexpectedMessage)
    }

    @Test("of random bytes never gets past its bounds")
    func noise() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<50_000 {
            var messages = PostHandshakeMessages(acceptsTickets: true)
            for _ in 0..<4 {
                let bytes = (0..<Int(generator.next() % 12)).map { _ in
                    [0, 1, 4, 24, 0, 2][Int(generator.next() % 6)] as UInt8
                }
                if flaw({ () throws(RecordFlaw) in _ = try read(&messages, bytes) }) != nil { break }
            }
        }
    }
}
