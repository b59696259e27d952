import Glibc

/// The memory that receives are made into, lent to completions one buffer at a time.
///
/// One mapping for the loop's life: pages that no byte ever reached are not resident.
@safe
struct ReceiveBuffers: ~Copyable {
    let base: UnsafeMutableRawPointer
    let count: Int
    let bufferBytes: Int
    /// How many of a buffer's bytes a receive may use.
    private(set) var receiveBytes: Int
    /// Which buffers the loop's owner holds.
    private let lent: UnsafeMutablePointer<Bool>

    init(count: Int, bufferBytes: Int) throws(EventLoopFault) {
        let mapped = unsafe mmap(nil, count * bufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw .systemCall("mmap", errno: errno)
        }
        // Safe: owned from here to `deinit`, and `pointer(_:)` checks its index.
        unsafe base = mapped
        self.count = count
        self.bufferBytes = bufferBytes
        receiveBytes = bufferBytes
        unsafe lent = .allocate(capacity: count)
        unsafe lent.initialize(repeating: false, count: count)
    }

    deinit {
        // Safe: the mapping made in `init`, which no completion outlives.
        _ = unsafe munmap(base, count * bufferBytes)
        unsafe lent.deallocate()
    }

    @inline(__always)
    mutating func limit(_ bytes: Int) { receiveBytes = min(bytes, bufferBytes) }

    @inline(__always)
    func pointer(_ index: Int32) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && Int(index) < count, "no such receive buffer")
        return unsafe base + Int(index) * bufferBytes
    }

    /// Marks the buffer as held by the owner.
    @inline(__always)
    func lend(_ index: Int32) {
        precondition(index >= 0 && Int(index) < count, "no such receive buffer")
        // Safe: the index is checked.
        unsafe lent[Int(index)] = true
    }

    /// Marks the buffer as returned. Traps if it is returned twice, which would mix two connections' bytes.
    @inline(__always)
    func takeBack(_ index: Int32) {
        precondition(index >= 0 && Int(index) < count, "no such receive buffer")
        // Safe: the index is checked.
        precondition(unsafe lent[Int(index)], "a receive buffer was given back twice")
        unsafe lent[Int(index)] = false
    }
}
