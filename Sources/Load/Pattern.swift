import Glibc

/// The bytes of every stream: each position has a known value, so that lost, repeated and foreign bytes are detected.
///
/// Pseudo-random with a prime period, longer than any stretch compared at once.
@safe
struct Pattern: ~Copyable {
    private let bytes: UnsafeMutablePointer<UInt8>

    init() {
        // Safe: owned until `deinit`, all of it initialised here.
        unsafe bytes = .allocate(capacity: Self.period + Self.stretchBytes)
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for index in 0..<Self.period {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            unsafe (bytes + index).initialize(to: UInt8(truncatingIfNeeded: state >> 32))
        }
        for index in 0..<Self.stretchBytes {
            unsafe (bytes + Self.period + index).initialize(to: bytes[index % Self.period])
        }
    }

    deinit {
        unsafe bytes.deallocate()
    }

    /// The `count` bytes at a stream's position, at most ``stretchBytes``. They live as long as the pattern.
    @inline(__always)
    func stretch(at position: UInt64, _ count: Int) -> UnsafeRawBufferPointer {
        precondition(count >= 0 && count <= Self.stretchBytes, "a stretch longer than the pattern")
        // Safe: the position modulo the period, plus a stretch, lies in the block.
        return unsafe UnsafeRawBufferPointer(start: bytes + Int(position % UInt64(Self.period)), count: count)
    }

    /// Whether `received` equals the pattern at the position.
    @inline(__always)
    func matches(_ received: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
        var done = 0
        while done < received.count {
            let count = min(received.count - done, Self.stretchBytes)
            // Safe: both are `count` bytes long.
            let expected = unsafe stretch(at: position &+ UInt64(done), count)
            guard unsafe memcmp(received.baseAddress! + done, expected.baseAddress!, count) == 0 else { return false }
            done += count
        }
        return true
    }

    /// Where a connection's stream begins; differs between neighbouring connections.
    static func start(slot: Int32, life: UInt32) -> UInt64 {
        (UInt64(UInt32(bitPattern: slot)) &* 7_919 &+ UInt64(life) &* 104_729) % UInt64(period)
    }

    /// A prime, so that it is coprime to the sizes of buffers and records.
    static let period = 65_537
    static let stretchBytes = 64 * 1024
}
