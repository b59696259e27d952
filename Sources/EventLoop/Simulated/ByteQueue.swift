/// Bytes on their way, first in, first out.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        // Safe: the caller lends the bytes for the call.
        unsafe bytes.append(contentsOf: more)
    }

    /// Moves as many bytes as there are and fit, and returns how many.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let taken = min(count, target.count)
        // Safe: both slices hold `taken` bytes.
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[..<taken]).copyBytes(from: bytes[head..<head + taken])
        head += taken
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        } else if head > bytes.count / 2 {
            bytes.removeFirst(head)
            head = 0
        }
        return taken
    }

    /// Drops all but the first `kept` bytes.
    mutating func keepFirst(_ kept: Int) {
        bytes.removeLast(count - kept)
    }
}
