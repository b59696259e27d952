import CAllocationCount
import PosternTesting
import Testing

@testable import TLS

@Suite("Records under load")
struct RecordSoakTests {
    /// The bytes in flight from one end to the other, and the expected plaintext.
    private struct Way {
        let from: RecordEnd
        let to: RecordEnd
        var wire: [UInt8] = []
        var sent: [UInt8] = []
        var received: [UInt8] = []

        mutating func send(_ bytes: [UInt8]) throws {
            wire += try from.seal(bytes)
            sent += bytes
        }
    }

    @Test("arrive in order however they are cut and whoever changes keys", arguments: RecordCipher.allCases, 1...4)
    func random(cipher: RecordCipher, seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let one = try RecordEnd(cipher, sendingByte: 1, receivingByte: 2)
        let two = try RecordEnd(cipher, sendingByte: 2, receivingByte: 1)
        one.layer.recordsPerKey = 20
        two.layer.recordsPerKey = 30
        var ways = [Way(from: one, to: two), Way(from: two, to: one)]
        for _ in 0..<400 {
            let index = Int(generator.next() % 2)
            switch generator.next() % 8 {
            case 0: try ways[index].send(Self.bytes(Int(generator.next() % 20_000), &generator))
            case 1, 2: try ways[index].send(Self.bytes(1 + Int(generator.next() % 200), &generator))
            case 3 where generator.next() % 4 == 0: ways[index].from.layer.owesKeyUpdate = true
            default:
                let limit = generator.next() % 3 == 0 ? 40 : 30_000 as UInt64
                let count = min(ways[index].wire.count, Int(generator.next() % limit))
                let (plaintext, flaw) = ways[index].to.open(Array(ways[index].wire[..<count]))
                try #require(flaw == nil)
                ways[index].wire.removeFirst(count)
                ways[index].received += plaintext
                ways[1 - index].wire += ways[index].to.replies
            }
        }
        for index in [0, 1, 0, 1] {
            let (plaintext, flaw) = ways[index].to.open(ways[index].wire)
            #expect(flaw == nil)
            ways[index].wire = []
            ways[index].received += plaintext
            ways[1 - index].wire += ways[index].to.replies
        }
        #expect(ways[0].received == ways[0].sent)
        #expect(ways[1].received == ways[1].sent)
    }

    private static func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        let first = UInt8(truncatingIfNeeded: generator.next())
        return (0..<max(1, count)).map { first &+ UInt8(truncatingIfNeeded: $0) }
    }

    @Test("take no heap block in steady state", arguments: RecordCipher.allCases)
    func allocations(cipher: RecordCipher) throws {
        let one = try RecordEnd(cipher, sendingByte: 1, receivingByte: 2)
        let two = try RecordEnd(cipher, sendingByte: 2, receivingByte: 1)
        let plaintext = [UInt8](repeating: 5, count: 40_000)
        // Safe: the blocks outlive every use, and are as large as the capacities say.
        let sealed = UnsafeMutableRawBufferPointer.allocate(
            byteCount: TLSSession.sealCapacity(plaintextBytes: plaintext.count), alignment: 16)
        let opened = UnsafeMutableRawBufferPointer.allocate(
            byteCount: TLSSession.openCapacity(inputBytes: sealed.count), alignment: 16)
        defer {
            unsafe sealed.deallocate()
            unsafe opened.deallocate()
        }
        var before: UInt64 = 0
        let ends = [3, 20_000, Int.max]
        for round in 0..<20 {
            // The first rounds fill the worker's stock of blocks.
            if round == 4 { before = allocation_count() }
            let count = unsafe try plaintext.span.bytes.withUnsafeBytes { (bytes) throws(RecordFlaw) in
                unsafe try one.layer.seal(bytes, into: sealed.baseAddress!)
            }
            var used = 0
            var start = 0
            // An array's iterator may take a block of its own.
            for index in 0..<ends.count {
                let end = ends[index]
                let input = unsafe UnsafeRawBufferPointer(rebasing: sealed[start..<min(end, count)])
                unsafe _ = try two.layer.open(input, into: opened, &used)
                start = end
            }
            precondition(used == plaintext.count)
        }
        #expect(allocation_count() == before)
    }
}
