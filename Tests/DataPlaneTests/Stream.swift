import Glibc
import PosternTesting

/// A stream whose every byte is known from its number and offset, so that a lost or doubled byte shows at once.
struct Stream {
    let number: UInt64
    let length: Int
    private(set) var written = 0

    init(number: UInt64, length: Int) {
        precondition(length <= Self.longest)
        self.number = number
        self.length = length
    }

    var isDone: Bool { written == length }

    /// The bytes from where writing stands, at most `limit`.
    func next(_ limit: Int) -> ArraySlice<UInt8> {
        Self.bytes(number)[written..<min(length, written + limit)]
    }

    mutating func wrote(_ count: Int) {
        written += count
    }

    /// The longest stream; its first byte is its number.
    static func bytes(_ number: UInt64) -> [UInt8] { all[Int(number)] }

    static let longest = 90_000
    private static let all: [[UInt8]] = (0..<160).map { number in
        var generator = SeededGenerator(seed: UInt64(number))
        var words = (0..<(longest / 8)).map { _ in generator.next() }
        words[0] = words[0] & ~0xFF | UInt64(number)
        // Safe: integers are bytes.
        return unsafe words.withUnsafeBytes { unsafe Array($0) }
    }
}

/// Checks a stream as it arrives.
struct StreamCheck {
    private(set) var number: UInt64?
    private(set) var received = 0
    private(set) var isTrue = true

    init(number: UInt64? = nil) {
        self.number = number
    }

    mutating func take(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        if number == nil { number = UInt64(first) }
        let expected = Stream.bytes(min(number ?? 0, 159))
        guard received + bytes.count <= expected.count else {
            isTrue = false
            return
        }
        // Safe: both have `count` bytes from where they are compared.
        let isSame = unsafe expected.withUnsafeBytes { expected in
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe memcmp(expected.baseAddress! + received, bytes.baseAddress!, bytes.count) == 0
            }
        }
        if !isSame { isTrue = false }
        received += bytes.count
    }
}
