/// Sends that wait for the end of the tick, in order.
@safe
struct PreparedSends: ~Copyable {
    @safe
    struct Send {
        let descriptor: Int32
        let count: Int
        let bytes: UnsafeRawPointer
        let token: OperationToken
    }

    private let storage: UnsafeMutablePointer<Send>
    private let capacity: Int
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
    mutating func append(_ send: Send) {
        precondition(count < capacity, "more prepared sends than fit")
        // Safe: count < capacity, and Send is trivial.
        unsafe (storage + count).initialize(to: send)
        count += 1
    }

    @inline(__always)
    subscript(index: Int) -> Send {
        precondition(index < count, "no such prepared send")
        // Safe: index < count, so that it is initialised.
        return unsafe storage[index]
    }
}
