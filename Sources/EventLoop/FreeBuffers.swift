/// Indices of free buffers, last in first out: the one used last is still in the cache.
@safe
struct FreeBuffers: ~Copyable {
    private let stack: UnsafeMutablePointer<Int32>
    private let capacity: Int
    private var top: Int

    init(count: Int) {
        unsafe stack = .allocate(capacity: count)
        capacity = count
        top = count
        for index in 0..<count { unsafe stack[index] = Int32(count - 1 - index) }
    }

    deinit {
        unsafe stack.deallocate()
    }

    var count: Int { top }

    @inline(__always)
    mutating func take() -> Int32? {
        guard top > 0 else { return nil }
        top -= 1
        // Safe: 0 <= top < capacity.
        return unsafe stack[top]
    }

    @inline(__always)
    mutating func put(_ index: Int32) {
        precondition(top < capacity, "more buffers came back than there are")
        // Safe: top < capacity.
        unsafe stack[top] = index
        top += 1
    }
}
