import Glibc
import Loopback
import PosternTesting

/// A long stream in each direction of one connection, sent and read at once, with pauses in reading.
struct Transfer: Sendable {
    let bytes: Int
    let seed: UInt8

    /// Sends the stream of this seed, and takes in that of another, slowly.
    func exchange(on connection: TCPConnection, expecting other: UInt8) -> TransferOutcome {
        let sent = Monitor<SocketFault?>(nil)
        let writer = BackgroundThread {
            let stream = TransferStream(seed: seed)
            var fault: SocketFault?
            var position = 0
            while position < bytes {
                let chunk = stream.chunk(at: position, upTo: bytes)
                do throws(SocketFault) { try connection.send(chunk, within: .seconds(60)) } catch {
                    fault = error
                    break
                }
                position += chunk.count
            }
            connection.finishSending()
            let outcome = fault
            sent.update { $0 = outcome }
        }
        var outcome = TransferOutcome()
        let expected = TransferStream(seed: other)
        var nextPause = Self.pauseEveryBytes
        do throws(SocketFault) {
            while true {
                let chunk = try connection.receive(atMost: 262_144, within: .seconds(60))
                if chunk.isEmpty { break }
                guard expected.matches(chunk, at: outcome.receivedBytes) else {
                    outcome.isGarbled = true
                    break
                }
                outcome.receivedBytes += chunk.count
                if outcome.receivedBytes >= nextPause {
                    nextPause += Self.pauseEveryBytes
                    pauseMilliseconds(Self.pauseMillisecondsEach)
                }
            }
        } catch {
            outcome.fault = error
        }
        writer.join(within: .seconds(90))
        if let fault = sent.read({ $0 }) { outcome.fault = fault }
        return outcome
    }

    private static let pauseEveryBytes = 5_000_000
    private static let pauseMillisecondsEach: UInt32 = 20
}

/// What came of a transfer, seen from one end.
struct TransferOutcome: Sendable {
    var receivedBytes = 0
    /// A byte was not the one that was sent: each is compared, which says more than a checksum.
    var isGarbled = false
    var fault: SocketFault?
}

/// An endless stream that repeats a block of random bytes, whose length divides no buffer's.
struct TransferStream: Sendable {
    private let block: [UInt8]

    init(seed: UInt8) {
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        block = (0..<Self.blockBytes).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    /// The bytes from a position on, to the end of the block at most.
    func chunk(at position: Int, upTo end: Int) -> ArraySlice<UInt8> {
        let start = position % block.count
        return block[start..<min(block.count, start + end - position)]
    }

    func matches(_ bytes: [UInt8], at position: Int) -> Bool {
        var checked = 0
        while checked < bytes.count {
            let start = (position + checked) % block.count
            let count = min(block.count - start, bytes.count - checked)
            // Both ranges lie inside their arrays, which outlive the call.
            let differs = unsafe block.withUnsafeBytes { block in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe memcmp(block.baseAddress! + start, bytes.baseAddress! + checked, count)
                }
            }
            guard differs == 0 else { return false }
            checked += count
        }
        return true
    }

    private static let blockBytes = 262_139
}
