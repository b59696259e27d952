/// The completions of one tick, written by a backend and read by the loop's owner.
@safe
struct CompletionQueue: ~Copyable {
    private let storage: UnsafeMutablePointer<Completion>
    let capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        unsafe storage = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        unsafe storage.deallocate()
    }

    var isFull: Bool { count == capacity }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func append(_ completion: Completion) {
        precondition(count < capacity, "a backend wrote more completions than fit in a tick")
        // Safe: count < capacity, and Completion is trivial.
        unsafe (storage + count).initialize(to: completion)
        count += 1
    }

    @inline(__always)
    subscript(index: Int) -> Completion {
        precondition(index < count, "no such completion")
        // Safe: index < count, so that it is initialised.
        return unsafe storage[index]
    }
}
