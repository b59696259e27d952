import Glibc

/// A worker's output buffers: lent while bytes are on their way, last in first out, so that the working set stays in
/// the cache and an idle connection holds none.
///
/// One reserved mapping; pages are resident once touched and given back by ``trim()``.
@safe
struct BufferPool: ~Copyable {
    /// A buffer's place, of the bytes in it that are not sent yet, and in the queue that it stands in.
    struct Entry {
        var start: Int32 = 0
        var end: Int32 = 0
        var next: Int32 = BufferPool.none
    }

    private let base: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let free: UnsafeMutablePointer<Int32>
    private let capacity: Int
    /// Buffers below this were lent at least once.
    private var touched = 0
    private var freeCount = 0
    /// Free buffers, from the bottom of the stack, whose memory the kernel has back already.
    private var trimmed = 0

    init(bytes: Int) {
        capacity = max(bytes / Self.bufferBytes, 4)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let mapped = unsafe mmap(nil, capacity * Self.bufferBytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("no address space for the output buffers")
        }
        // Safe: owned until `deinit`; every index is checked against `touched`.
        unsafe base = mapped
        unsafe entries = .allocate(capacity: capacity)
        unsafe free = .allocate(capacity: capacity)
    }

    deinit {
        _ = unsafe munmap(base, capacity * Self.bufferBytes)
        unsafe entries.deallocate()
        unsafe free.deallocate()
    }

    /// Buffers that are lent now.
    var lent: Int { touched - freeCount }

    /// Lends an empty buffer; nil where the pool's memory is used up.
    @inline(__always)
    mutating func take() -> Int32? {
        let index: Int32
        if freeCount > 0 {
            freeCount -= 1
            // Safe: below freeCount all are indices of free buffers.
            index = unsafe free[freeCount]
            trimmed = min(trimmed, freeCount)
        } else {
            guard touched < capacity else { return nil }
            index = Int32(touched)
            touched += 1
        }
        unsafe (entries + Int(index)).initialize(to: Entry())
        return index
    }

    @inline(__always)
    mutating func giveBack(_ index: Int32) {
        precondition(index >= 0 && Int(index) < touched && freeCount < touched, "no such lent buffer")
        // Safe: freeCount < touched <= capacity.
        unsafe free[freeCount] = index
        freeCount += 1
    }

    /// The entry of a lent buffer.
    @inline(__always)
    subscript(index: Int32) -> Entry {
        get {
            precondition(index >= 0 && Int(index) < touched, "no such lent buffer")
            // Safe: entries below `touched` are initialised.
            return unsafe entries[Int(index)]
        }
        nonmutating set {
            precondition(index >= 0 && Int(index) < touched, "no such lent buffer")
            unsafe entries[Int(index)] = newValue
        }
    }

    /// All memory of a buffer, to write into.
    @inline(__always)
    func memory(_ index: Int32) -> UnsafeMutableRawBufferPointer {
        precondition(index >= 0 && Int(index) < touched, "no such lent buffer")
        // Safe: within the mapping.
        return unsafe UnsafeMutableRawBufferPointer(
            start: base + Int(index) * Self.bufferBytes, count: Self.bufferBytes)
    }

    /// The bytes of a buffer that are not sent yet.
    @inline(__always)
    func unsent(_ index: Int32) -> UnsafeRawBufferPointer {
        let entry = self[index]
        // Safe: start <= end <= bufferBytes.
        return unsafe UnsafeRawBufferPointer(rebasing: memory(index)[Int(entry.start)..<Int(entry.end)])
    }

    /// Gives the kernel back the memory of free buffers beyond those that stay warm.
    mutating func trim() {
        guard freeCount - Self.warmBuffers > trimmed else { return }
        // The bottom of the stack is what was not used for longest.
        for position in trimmed..<(freeCount - Self.warmBuffers) {
            // Safe: a free buffer's memory is nobody's; it reads as zeros when it is lent again.
            let index = unsafe free[position]
            _ = unsafe madvise(base + Int(index) * Self.bufferBytes, Self.bufferBytes, MADV_DONTNEED)
        }
        trimmed = freeCount - Self.warmBuffers
    }

    /// Room for the plaintext of a full receive and of a partial record kept from before, or for the records that seal
    /// a full receive: a multiple of the page size.
    static let bufferBytes = 148 * 1024
    static let none: Int32 = -1
    private static let warmBuffers = 8
}

/// The buffers that wait for one socket, in order. The first one is on its way while a send is in flight.
struct SendQueue {
    private(set) var head = BufferPool.none
    private var tail = BufferPool.none

    var isEmpty: Bool { head == BufferPool.none }

    @inline(__always)
    mutating func append(_ index: Int32, _ pool: borrowing BufferPool) {
        if isEmpty {
            head = index
        } else {
            pool[tail].next = index
        }
        tail = index
    }

    /// Notes that `count` bytes of the first buffer were sent; true where that was all of it and it was given back.
    @inline(__always)
    mutating func advance(_ count: Int32, _ pool: inout BufferPool) -> Bool {
        precondition(!isEmpty, "bytes were sent of no buffer")
        var entry = pool[head]
        entry.start += count
        precondition(entry.start <= entry.end, "more bytes were sent than there were")
        guard entry.start == entry.end else {
            pool[head] = entry
            return false
        }
        pool.giveBack(head)
        head = entry.next
        return true
    }

    /// Gives all buffers back.
    mutating func removeAll(_ pool: inout BufferPool) {
        while !isEmpty {
            let next = pool[head].next
            pool.giveBack(head)
            head = next
        }
    }
}
