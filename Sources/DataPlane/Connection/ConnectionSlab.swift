import EventLoop
import Glibc

/// The worker's connections: a fixed number of slots, each with a generation that counts its lives.
///
/// Memory of slots that were never used is never touched.
@safe
struct ConnectionSlab: ~Copyable {
    private let slots: UnsafeMutablePointer<Connection>
    private let generations: UnsafeMutablePointer<UInt32>
    private let live: UnsafeMutablePointer<Bool>
    private let free: UnsafeMutablePointer<Int32>
    let capacity: Int
    private(set) var touched = 0
    private var freeCount = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
        unsafe generations = .allocate(capacity: capacity)
        unsafe live = .allocate(capacity: capacity)
        unsafe free = .allocate(capacity: capacity)
    }

    deinit {
        for slot in 0..<touched {
            // Safe: a live slot is initialised; the others were deinitialised when they were freed.
            if unsafe live[slot] { unsafe (slots + slot).deinitialize(count: 1) }
        }
        unsafe slots.deallocate()
        unsafe generations.deallocate()
        unsafe live.deallocate()
        unsafe free.deallocate()
    }

    var count: Int { touched - freeCount }
    var isFull: Bool { count == capacity }

    /// Puts a connection into a free slot; the slab must not be full.
    mutating func insert(_ connection: consuming Connection) -> Int32 {
        let slot: Int32
        if freeCount > 0 {
            freeCount -= 1
            // Safe: below freeCount all are indices of free slots.
            slot = unsafe free[freeCount]
        } else {
            precondition(touched < capacity, "a full slab")
            slot = Int32(touched)
            touched += 1
            unsafe (generations + Int(slot)).initialize(to: 0)
        }
        // Safe: the slot is free, and thus uninitialised memory.
        unsafe (slots + Int(slot)).initialize(to: connection)
        unsafe (live + Int(slot)).initialize(to: true)
        return slot
    }

    /// Ends the slot's life: completions that still name it are stale from now on.
    mutating func remove(_ slot: Int32) {
        precondition(isLive(slot), "no connection in this slot")
        // Safe: the slot is live, so that it is initialised; freeCount < touched.
        unsafe (slots + Int(slot)).deinitialize(count: 1)
        unsafe live[Int(slot)] = false
        unsafe generations[Int(slot)] = (generations[Int(slot)] &+ 1) & OperationToken.generationMask
        unsafe free[freeCount] = slot
        freeCount += 1
    }

    @inline(__always)
    func isLive(_ slot: Int32) -> Bool {
        // Safe: flags below `touched` are initialised.
        guard slot >= 0, Int(slot) < touched else { return false }
        return unsafe live[Int(slot)]
    }

    /// The slot that a token names; nil if that life is over.
    @inline(__always)
    func slot(of token: OperationToken) -> Int32? {
        guard token.slot < UInt32(touched) else { return nil }
        let slot = Int32(bitPattern: token.slot)
        // Safe: the slot is below `touched`.
        guard isLive(slot), unsafe generations[Int(slot)] == token.generation else { return nil }
        return slot
    }

    @inline(__always)
    func token(_ operation: Operation, _ slot: Int32) -> OperationToken {
        precondition(isLive(slot), "no connection in this slot")
        // Safe: the slot is live.
        return OperationToken(
            operation: operation.rawValue, generation: unsafe generations[Int(slot)], slot: UInt32(slot))
    }

    /// The connection of a live slot, in its place.
    ///
    /// It is read by an addressor, because `_read` makes a copy of the connection on the heap, which Swift 6.3 frees
    /// before the last use of what was read of it.
    @inline(__always)
    subscript(slot: Int32) -> Connection {
        unsafeAddress {
            precondition(isLive(slot), "no connection in this slot")
            // Safe: a live slot is initialised, and the worker's thread is the only one that comes here.
            return unsafe UnsafePointer(slots + Int(slot))
        }
        nonmutating _modify {
            precondition(isLive(slot), "no connection in this slot")
            // Safe: as above.
            yield unsafe &slots[Int(slot)]
        }
    }
}
