/// Bytes that stay where they are while an operation is in flight.
@safe
final class PinnedBytes {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ array: [UInt8]) {
        unsafe memory = .allocate(byteCount: array.count, alignment: 1)
        unsafe memory.copyBytes(from: array)
    }

    deinit {
        unsafe memory.deallocate()
    }

    var count: Int { unsafe memory.count }

    /// The bytes from `offset` on; valid while the object lives.
    func rest(from offset: Int = 0) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[offset...])
    }

    func overwrite(_ index: Int, _ byte: UInt8) {
        unsafe memory[index] = byte
    }
}
