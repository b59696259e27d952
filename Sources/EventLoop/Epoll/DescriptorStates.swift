/// What an epoll loop knows of one descriptor.
@safe
struct DescriptorState {
    struct Wants: OptionSet {
        var rawValue: UInt8
        static let accept = Wants(rawValue: 1)
        static let receive = Wants(rawValue: 2)
        static let send = Wants(rawValue: 4)
        static let connect = Wants(rawValue: 8)
    }

    var readToken = OperationToken(raw: 0)
    var writeToken = OperationToken(raw: 0)
    var bytes: UnsafeRawPointer?
    var count = 0
    var connectResult: Int32 = 0
    var wants: Wants = []
    /// A read may find something; false from EAGAIN or a short read until the next edge.
    var readable = true
    var writable = true
    /// The peer has finished or is gone: there will be no further edge.
    var hangup = false
    var registered = false
    /// Other descriptors may be of the same socket, so that a close of this one ends no registration.
    var isListener = false
    /// It is in the queue of descriptors to try.
    var queued = false

    init(queued: Bool = false) {
        self.queued = queued
        unsafe bytes = nil
    }
}

/// The states of all descriptors, indexed by descriptor number: the kernel hands out the lowest that is free.
@safe
struct DescriptorStates: ~Copyable {
    private var storage: UnsafeMutablePointer<DescriptorState>
    private var capacity: Int

    init() {
        capacity = 64
        unsafe storage = .allocate(capacity: capacity)
        unsafe storage.initialize(repeating: DescriptorState(), count: capacity)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// Makes room for a descriptor; called before its first use.
    @inline(__always)
    mutating func reserve(_ descriptor: Int32) {
        if Int(descriptor) >= capacity { grow(to: Int(descriptor) + 1) }
    }

    subscript(descriptor: Int32) -> DescriptorState {
        precondition(descriptor >= 0 && Int(descriptor) < capacity, "an unknown descriptor")
        // Safe: within capacity, all of which is initialised.
        return unsafe storage[Int(descriptor)]
    }

    @inline(__always)
    @discardableResult
    mutating func update<Result>(_ descriptor: Int32, _ body: (inout DescriptorState) -> Result) -> Result {
        reserve(descriptor)
        precondition(descriptor >= 0)
        // Safe: within capacity, all of which is initialised.
        return unsafe body(&storage[Int(descriptor)])
    }

    private mutating func grow(to needed: Int) {
        var wider = capacity
        while wider < needed { wider *= 2 }
        let moved = UnsafeMutablePointer<DescriptorState>.allocate(capacity: wider)
        // Safe: the old elements move, the rest is initialised, the old memory is given back.
        unsafe moved.moveInitialize(from: storage, count: capacity)
        unsafe (moved + capacity).initialize(repeating: DescriptorState(), count: wider - capacity)
        unsafe storage.deallocate()
        unsafe storage = moved
        capacity = wider
    }
}
