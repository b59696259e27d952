import Testing

@testable import DataPlane

@Suite("The buffer pool")
struct BufferPoolTests {
    @Test("trimming returns the memory of all free buffers but the warm ones, again after each use")
    func trim() throws {
        var pool = BufferPool(bytes: 20 * BufferPool.bufferBytes)
        for _ in 0..<3 {
            let buffers = try take(20, &pool)
            // Safe: lent buffers, whose memory is written and read in place.
            for buffer in buffers {
                unsafe pool.memory(buffer)[0] = 7
                pool.filled(buffer, 1)
            }
            for buffer in buffers { pool.giveBack(buffer) }
            pool.trim()
            pool.trim()
            // The warm ones come first; memory returned to the kernel reads as zero.
            let values = try take(20, &pool).map { unsafe (buffer: $0, byte: pool.memory($0)[0]) }
            #expect(values.map(\.byte) == Array(repeating: 7, count: 8) + Array(repeating: 0, count: 12))
            for value in values { pool.giveBack(value.buffer) }
        }
    }

    @Test("buffers given back after a trim are trimmed with the next turn")
    func trimMore() throws {
        var pool = BufferPool(bytes: 20 * BufferPool.bufferBytes)
        let buffers = try take(20, &pool)
        for buffer in buffers.prefix(12) { pool.giveBack(buffer) }
        pool.trim()
        for buffer in buffers.suffix(8) {
            unsafe pool.memory(buffer)[0] = 7
            pool.filled(buffer, 1)
            pool.giveBack(buffer)
        }
        let warm = try take(10, &pool)
        for buffer in warm {
            unsafe pool.memory(buffer)[0] = 7
            pool.filled(buffer, 1)
        }
        for buffer in warm { pool.giveBack(buffer) }
        pool.trim()
        let values = try take(20, &pool).map { unsafe pool.memory($0)[0] }
        #expect(values == Array(repeating: 7, count: 8) + Array(repeating: 0, count: 12))
    }

    @Test("as many buffers are lent as their memory allows: few full ones, or many with few bytes")
    func memoryLimit() throws {
        var pool = BufferPool(bytes: 20 * BufferPool.bufferBytes)
        var full: [Int32] = []
        while let buffer = pool.take() {
            pool.filled(buffer, BufferPool.bufferBytes)
            full.append(buffer)
            #expect(pool.countedBytes <= 20 * BufferPool.bufferBytes)
        }
        #expect(full.count == 20)
        for buffer in full { pool.giveBack(buffer) }
        var small: [Int32] = []
        while let buffer = pool.take() {
            pool.filled(buffer, 100)
            small.append(buffer)
            try #require(pool.countedBytes <= 20 * BufferPool.bufferBytes && small.count < 1_000)
        }
        #expect(small.count > 5 * full.count)
        #expect(Set(small).count == small.count)
        // The last of them is still whole, and all can be lent again.
        unsafe pool.memory(small.last!)[BufferPool.bufferBytes - 1] = 7
        for buffer in small { pool.giveBack(buffer) }
        #expect(pool.lent == 0)
        #expect(pool.take() != nil)
    }

    private func take(_ count: Int, _ pool: inout BufferPool) throws -> [Int32] {
        var buffers: [Int32] = []
        for _ in 0..<count {
            let buffer = pool.take()
            buffers.append(try #require(buffer))
        }
        return buffers
    }
}
