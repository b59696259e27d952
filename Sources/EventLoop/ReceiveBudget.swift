/// How many receive buffers the next tick gets: all of them while messages are small, one or two while reads are large.
///
/// What a tick receives should fit a core's cache. And a socket that waits while others are read has more bytes by
/// then: fewer system calls, and fewer wake-ups of its writer.
struct ReceiveBudget {
    private let buffers: Int
    private let bytesATick: Int
    /// Exponential moving average of receive sizes, with weight 1/8; in sixteenths of a byte.
    private var average = 0
    private var starved = 0

    init(_ limits: LoopLimits) {
        buffers = limits.receiveBuffers
        bytesATick = limits.receivedBytesATick
    }

    @inline(__always)
    mutating func received(_ bytes: Int) { average += (bytes << 4 - average) >> 3 }

    /// Notes that `count` receives of the last tick found no buffer.
    mutating func starved(_ count: Int) { starved = count }

    /// At least one, at most all. Retries have a cost too, so only a few receives may wait for one buffer.
    var buffersATick: Int {
        let fitting = bytesATick / max(average >> 4, 1)
        return min(max(fitting, 1 + starved / Self.starvedPerBuffer), buffers)
    }

    private static let starvedPerBuffer = 8
}
