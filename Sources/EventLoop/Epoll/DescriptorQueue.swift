/// A first-in-first-out queue of descriptors that grows to the most that were ever queued.
@safe
struct DescriptorQueue: ~Copyable {
    private var storage: UnsafeMutablePointer<Int32>
    /// A power of two.
    private var capacity = 64
    private var head = 0
    private(set) var count = 0

    init() {
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit {
        unsafe storage.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ descriptor: Int32) {
        if count == capacity { grow() }
        // Safe: the mask keeps the index within the capacity.
        unsafe storage[(head &+ count) & (capacity &- 1)] = descriptor
        count += 1
    }

    @inline(__always)
    mutating func removeFirst() -> Int32 {
        precondition(count > 0, "an empty queue")
        // Safe: head is within the capacity, and count > 0 says that it was written.
        let descriptor = unsafe storage[head]
        head = (head &+ 1) & (capacity &- 1)
        count -= 1
        return descriptor
    }

    private mutating func grow() {
        let wider = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
        // Safe: all `capacity` places are in use, and twice as many are free.
        for index in 0..<count { unsafe wider[index] = storage[(head + index) & (capacity - 1)] }
        unsafe storage.deallocate()
        unsafe storage = wider
        capacity *= 2
        head = 0
    }
}
