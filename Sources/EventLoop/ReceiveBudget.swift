/// How many receive buffers the next tick gets: all of them while messages are small, one or two while reads are large.
///
/// What a tick receives is to fit a core's cache. And a socket that waits its turn while others are read has more to
/// give then: fewer system calls, and fewer wakes of whoever writes to it.
struct ReceiveBudget {
    private let buffers: Int
    private let bytesATick: Int
    /// Of the last receives, each counting an eighth less than the one after it; in sixteenths of a byte.
    private var average = 0
    private var starved = 0

    init(_ limits: LoopLimits) {
        buffers = limits.receiveBuffers
        bytesATick = limits.receivedBytesATick
    }

    @inline(__always)
    mutating func received(_ bytes: Int) { average += (bytes << 4 - average) >> 3 }

    /// So many receives of the last tick found no buffer.
    mutating func starved(_ count: Int) { starved = count }

    /// At least one, at most all. Trying again and again costs something too, so that not many wait for one buffer.
    var buffersATick: Int {
        let fitting = bytesATick / max(average >> 4, 1)
        return min(max(fitting, 1 + starved / Self.starvedPerBuffer), buffers)
    }

    private static let starvedPerBuffer = 8
}
