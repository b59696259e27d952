import Resolution
import Testing

@Suite("SRV records in a DNS response")
struct ServiceAnswerTests {
    /// As dnsmasq answers for `_orders._tcp.shop.test`: two records, their names compressed or not.
    private static let response: [UInt8] =
        header(answers: 3) + question
        + record(type: 5, ttl: 9, data: [0xC0, 12])
        + record(type: 33, ttl: 30, data: [0, 1, 0, 5, 0x1F, 0x90] + name("a", "shop", "test"))
        + record(type: 33, ttl: 20, data: [0, 2, 0, 7, 0x1F, 0x91, 1, UInt8(ascii: "b"), 0xC0, 25])

    @Test("are read with their priority, weight, port and target, and the shortest TTL")
    func records() throws {
        let answer = try ServiceAnswer(parsing: Self.response)
        #expect(
            answer.records.map { "\($0.priority) \($0.weight) \($0.port) \($0.target)" } == [
                "1 5 8080 a.shop.test", "2 7 8081 b.shop.test",
            ])
        #expect(answer.ttlSeconds == 9)
    }

    @Test("a response cut at any byte, or with any byte changed, is read or refused, and never more than it has")
    func hostile() throws {
        for count in 0..<Self.response.count {
            #expect(throws: DNSFlaw.self) { try ServiceAnswer(parsing: Array(Self.response[..<count])) }
        }
        for index in Self.response.indices {
            for value: UInt8 in [0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF] {
                var changed = Self.response
                changed[index] = value
                if let answer = try? ServiceAnswer(parsing: changed) {
                    #expect(answer.records.allSatisfy { $0.target.utf8.count < 3 * 256 })
                }
            }
        }
    }

    @Test("names that point at themselves, forward, or in circles end", arguments: [12, 14, 50, 0xFFF])
    func circles(target: Int) {
        let pointer = [UInt8(0xC0 | target >> 8), UInt8(target & 0xFF)]
        let message = Self.header(answers: 1) + pointer + [0, 33, 0, 1] + Self.record(type: 33, ttl: 1, data: [])
        #expect(throws: DNSFlaw.self) { try ServiceAnswer(parsing: message) }
    }

    @Test("more records than the limit are not kept")
    func many() throws {
        let one = Self.record(type: 33, ttl: 1, data: [0, 1, 0, 5, 0x1F, 0x90, 0])
        let message = Self.header(answers: 2_000) + Self.question + Array(repeating: one, count: 2_000).flatMap { $0 }
        #expect(try ServiceAnswer(parsing: message).records.count == ServiceAnswer.recordsAtMost)
    }

    private static func header(answers: Int) -> [UInt8] {
        [0x12, 0x34, 0x81, 0x80, 0, 1, UInt8(answers >> 8), UInt8(answers & 0xFF), 0, 0, 0, 0]
    }

    private static let question = name("_orders", "_tcp", "shop", "test") + [0, 33, 0, 1]

    private static func record(type: UInt8, ttl: UInt8, data: [UInt8]) -> [UInt8] {
        [0xC0, 12, 0, type, 0, 1, 0, 0, 0, ttl, 0, UInt8(data.count)] + data
    }

    private static func name(_ labels: String...) -> [UInt8] {
        labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
