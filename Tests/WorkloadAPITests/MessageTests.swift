import Identity
import PosternTesting
import Testing

@testable import WorkloadAPI

/// Writes Protocol Buffers messages.
enum Protobuf {
    static func varint(_ value: Int) -> [UInt8] {
        var rest = UInt64(value)
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func field(_ number: Int, _ value: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(value.count) + value
    }

    static func field(_ number: Int, _ value: String) -> [UInt8] { field(number, Array(value.utf8)) }
}

@Suite("Messages of the Workload API")
struct MessageTests {
    private static func svid(without missing: Int? = nil, id: String = "spiffe://example.org/a", hint: String = "")
        -> [UInt8]
    {
        let parts: [(Int, [UInt8])] = [
            (1, Array(id.utf8)), (2, [1, 2]), (3, [3]), (4, [4, 5]), (5, Array(hint.utf8)),
        ]
        return parts.filter { $0.0 != missing }.flatMap { Protobuf.field($0.0, $0.1) }
    }

    @Test("are parsed with all their fields, and unknown fields are skipped")
    func whole() throws {
        let bytes =
            Protobuf.field(1, Self.svid(hint: "internal")) + Protobuf.varint(9 << 3) + Protobuf.varint(300)
            + Protobuf.field(2, [7, 7]) + Protobuf.field(1, Self.svid(id: "spiffe://example.org/b"))
            + Protobuf.field(3, Protobuf.field(1, "spiffe://partner.test") + Protobuf.field(2, [6]))
            + Protobuf.field(3, Protobuf.field(1, "other.test") + Protobuf.field(2, [8]))
        let message = try X509SVIDMessage(parsing: bytes)
        #expect(message.svids.map(\.id.path) == ["/a", "/b"])
        #expect(message.svids[0].certificates == [1, 2] && message.svids[0].privateKey == [3])
        #expect(message.svids[0].bundle == [4, 5] && message.svids[0].hint == "internal")
        #expect(message.revocationLists == [[7, 7]])
        #expect(Set(message.federatedBundles.keys.map(\.name)) == ["partner.test", "other.test"])
        #expect(message.svid(hint: nil)?.id.path == "/a")
        #expect(message.svid(hint: "internal")?.id.path == "/a")
        #expect(message.svid(hint: "external") == nil)
    }

    @Test(
        "that lack a mandatory field are discarded, and the field is named",
        arguments: [
            (1, "spiffe_id"), (2, "x509_svid"), (3, "x509_svid_key"), (4, "bundle"),
        ])
    func mandatory(number: Int, name: String) {
        #expect(throws: WorkloadMessageFlaw.empty(field: name)) {
            try X509SVIDMessage(parsing: Protobuf.field(1, Self.svid(without: number)))
        }
    }

    @Test(
        "are taken although the bundle of another trust domain is empty or nobody's, or a further SVID lacks something")
    func othersFlaws() throws {
        let bytes =
            Protobuf.field(1, Self.svid(hint: "internal")) + Protobuf.field(1, Self.svid(without: 3))
            + Protobuf.field(3, Protobuf.field(1, "spiffe://partner.test"))
            + Protobuf.field(3, Protobuf.field(1, "B_X") + Protobuf.field(2, [6]))
        let message = try X509SVIDMessage(parsing: bytes)
        #expect(message.svids.map(\.hint) == ["internal"])
        #expect(message.federatedBundles.mapValues(\.count) == [try TrustDomain(parsing: "partner.test"): 0])
    }

    @Test("of nothing are discarded")
    func empty() {
        #expect(throws: WorkloadMessageFlaw.empty(field: "svids")) { try X509SVIDMessage(parsing: []) }
        #expect(throws: WorkloadMessageFlaw.empty(field: "bundles")) { try X509BundlesMessage(parsing: []) }
    }

    @Test("keep the first of several SVIDs with one hint")
    func hints() throws {
        let bytes =
            Protobuf.field(1, Self.svid(hint: "x"))
            + Protobuf.field(1, Self.svid(id: "spiffe://example.org/b", hint: "x"))
        #expect(try X509SVIDMessage(parsing: bytes).svids.map(\.id.path) == ["/a"])
    }

    @Test("are parsed or discarded, whatever happens to their bytes")
    func garbage() {
        let good =
            Protobuf.field(1, Self.svid(hint: "internal")) + Protobuf.field(2, [7, 7])
            + Protobuf.field(3, Protobuf.field(1, "spiffe://partner.test") + Protobuf.field(2, [6]))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
            _ = try? X509SVIDMessage(parsing: bytes)
            _ = try? X509BundlesMessage(parsing: bytes)
        }
    }

    @Test("come out of a call whole, however its bytes are split")
    func framing() throws {
        let first = [UInt8](repeating: 1, count: 300)
        let stream = [0, 0, 0, 1, 44] + first + [0, 0, 0, 0, 0] + [0, 0, 0, 0, 2, 8, 9]
        for cut in 0...stream.count {
            var messages = GRPCMessages()
            let all = try messages.take(stream[..<cut]) + messages.take(stream[cut...])
            #expect(all == [first, [], [8, 9]])
        }
        var messages = GRPCMessages()
        #expect(throws: GRPCMessages.Flaw.compressed) { try messages.take([1, 0, 0, 0, 0]) }
        var others = GRPCMessages()
        #expect(throws: GRPCMessages.Flaw.tooLarge) { try others.take([0, 1, 0, 0, 0]) }
    }

    @Test("are requested again with growing delays, never after some statuses, and withdrawn after one")
    func retry() {
        var retry = WorkloadRetry()
        let waits = (0..<7).map { _ in retry.ended(status: 14, chance: 1) }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30].map { .again(afterMilliseconds: $0 * 1_000) })
        #expect(retry.ended(status: nil, chance: 0) == .again(afterMilliseconds: 15_000))
        #expect(retry.ended(status: 7, chance: 0) == .again(afterMilliseconds: 15_000))
        retry.messageCame()
        #expect(retry.ended(status: 7, chance: 1) == .withdrawAndAgain(afterMilliseconds: 1_000))
        #expect(retry.ended(status: 3, chance: 1) == .never)
        #expect(retry.ended(status: 12, chance: 1) == .never)
    }
}
