import Synchronization

/// A queue of fixed capacity from one producing thread to one consuming thread, without locks.
///
/// Exactly one thread may call `push`, and exactly one may call `pop` and `prepareToSleep`.
public final class BoundedQueue<Element: Sendable>: Sendable {
    /// The outcome of a push.
    public enum PushOutcome: Sendable {
        case queued
        /// Queued while the consumer sleeps: the producer must wake it (once; later pushes return `queued`).
        case queuedForSleeper
        /// No room: the element is gone, and counted in `droppedCount`.
        case dropped
    }

    public let capacity: Int

    private let slots: Slots
    /// Elements ever popped, written by the consumer only.
    private let taken = Atomic<Int>(0)
    /// Elements ever pushed, written by the producer only.
    private let put = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let consumerSleeps = Atomic<Bool>(false)

    /// `capacity` is rounded up to a power of two.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1 << 24)
        var rounded = 1
        while rounded < capacity { rounded <<= 1 }
        self.capacity = rounded
        slots = Slots(capacity: rounded)
    }

    deinit {
        while pop() != nil {}
        slots.deallocate()
    }

    /// How many elements were ever dropped. Any thread.
    public var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Producer only. Never blocks.
    public func push(_ element: consuming Element) -> PushOutcome {
        let position = put.load(ordering: .relaxed)
        guard position &- taken.load(ordering: .acquiring) < capacity else {
            dropped.wrappingAdd(1, ordering: .relaxed)
            return .dropped
        }
        slots.initialize(position & (capacity - 1), to: element)
        // Sequentially consistent with `prepareToSleep`: either the consumer sees this element before it sleeps, or
        // this thread sees that it sleeps.
        put.store(position &+ 1, ordering: .sequentiallyConsistent)
        guard consumerSleeps.load(ordering: .sequentiallyConsistent) else { return .queued }
        return consumerSleeps.exchange(false, ordering: .sequentiallyConsistent) ? .queuedForSleeper : .queued
    }

    /// Consumer only.
    public func pop() -> Element? {
        let position = taken.load(ordering: .relaxed)
        guard position != put.load(ordering: .acquiring) else { return nil }
        let element = slots.move(position & (capacity - 1))
        taken.store(position &+ 1, ordering: .releasing)
        return element
    }

    /// Consumer only: asks for a wake at the next push. False, and no wake is asked for, when an element waits already.
    public func prepareToSleep() -> Bool {
        consumerSleeps.store(true, ordering: .sequentiallyConsistent)
        guard taken.load(ordering: .relaxed) == put.load(ordering: .sequentiallyConsistent) else {
            consumerSleeps.store(false, ordering: .relaxed)
            return false
        }
        return true
    }

    /// The memory of the elements.
    ///
    /// Sendable by the queue's protocol: a slot belongs to the producer until `put` passes it (a release that the
    /// consumer acquires) and to the consumer until `taken` passes it (the reverse).
    @safe
    private struct Slots: @unchecked Sendable {
        private let base: UnsafeMutablePointer<Element>

        init(capacity: Int) { unsafe base = .allocate(capacity: capacity) }

        // The caller keeps `index` below the capacity and the slot's turn: see above.
        func initialize(_ index: Int, to element: consuming Element) { unsafe (base + index).initialize(to: element) }
        func move(_ index: Int) -> Element { unsafe (base + index).move() }
        func deallocate() { unsafe base.deallocate() }
    }
}
