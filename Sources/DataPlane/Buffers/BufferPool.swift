import Glibc

/// A worker's output buffers: lent while bytes are in transit, last in first out, so that the working set stays in the
/// cache and an idle connection holds none.
///
/// The limit is on memory: a buffer counts with the pages written since they were last returned to the kernel, so that
/// many small messages may wait where few large ones may. Address space is reserved for all buffers, and made usable
/// when it is first needed.
@safe
struct BufferPool: ~Copyable {
    /// A buffer's unsent range, and its place in its queue.
    struct Entry {
        var start: Int32 = 0
        var end: Int32 = 0
        var next: Int32 = BufferPool.none
        /// Plaintext bytes that its records carry.
        var payload: Int32 = 0
    }

    private let base: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let free: UnsafeMutablePointer<Int32>
    /// The bytes that each buffer counts with.
    private let counted: UnsafeMutablePointer<Int32>
    private let capacity: Int
    private let limitBytes: Int
    private let warmBytes: Int
    /// Buffers below this are usable address space.
    private var usable = 0
    /// Buffers below this were lent at least once.
    private var touched = 0
    private var freeCount = 0
    #if DEBUG
        /// Calls of ``take()`` so far, and the number of the one that a test lets fail.
        private(set) var takeCount = 0
        var failingTake: Int?
    #endif
    /// The sum of `counted`.
    private(set) var countedBytes = 0
    /// What was counted after the last trim.
    private var trimmedBytes = 0

    /// - Parameters:
    ///   - bytes: how much memory all buffers together may hold.
    ///   - warmBytes: how much they may hold until a free one is emptied at once.
    init(bytes: Int, warmBytes: Int? = nil) {
        limitBytes = max(bytes, 4 * Self.bufferBytes)
        self.warmBytes = warmBytes ?? limitBytes / 2
        capacity = limitBytes / Self.leastCountedBytes
        let mapped = unsafe mmap(nil, capacity * Self.bufferBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("no address space for the output buffers")
        }
        // Safe: owned until `deinit`; every index is checked against `touched`.
        unsafe base = mapped
        unsafe entries = .allocate(capacity: capacity)
        unsafe free = .allocate(capacity: capacity)
        unsafe counted = .allocate(capacity: capacity)
    }

    deinit {
        _ = unsafe munmap(base, capacity * Self.bufferBytes)
        unsafe entries.deallocate()
        unsafe free.deallocate()
        unsafe counted.deallocate()
    }

    /// Buffers that are lent now.
    var lent: Int { touched - freeCount }

    /// Lends an empty buffer; nil if the pool's memory is used up.
    @inline(__always)
    mutating func take() -> Int32? {
        #if DEBUG
            defer { takeCount += 1 }
            if takeCount == failingTake { return nil }
        #endif
        if countedBytes > limitBytes - Self.bufferBytes, !makeRoom() { return nil }
        let index: Int32
        if freeCount > 0 {
            freeCount -= 1
            // Safe: below freeCount all are indices of free buffers.
            index = unsafe free[freeCount]
        } else {
            guard touched < usable || extend() else { return nil }
            index = Int32(touched)
            // Safe: touched < usable <= capacity.
            unsafe (counted + touched).initialize(to: 0)
            touched += 1
        }
        unsafe (entries + Int(index)).initialize(to: Entry())
        return index
    }

    /// Notes that a lent buffer was filled with `count` bytes and is queued from now on.
    ///
    /// - Parameter behind: bytes that were written behind them and cut off.
    @inline(__always)
    mutating func filled(_ index: Int32, _ count: Int, behind: Int = 0) {
        self[index].end = Int32(count)
        // Safe: the index was just checked.
        let before = unsafe counted[Int(index)]
        let now = Self.counted(count + behind)
        guard now > before else { return }
        unsafe counted[Int(index)] = now
        countedBytes += Int(now - before)
    }

    @inline(__always)
    mutating func giveBack(_ index: Int32) {
        precondition(index >= 0 && Int(index) < touched && freeCount < touched, "no such lent buffer")
        if countedBytes > warmBytes { empty(index) }
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

    /// Whether free buffers hold memory beyond those that stay warm.
    var isTrimmable: Bool { freeCount > Self.warmBuffers && countedBytes > trimmedBytes }

    /// Returns the memory of free buffers to the kernel, except those that stay warm.
    mutating func trim() {
        trim(keeping: Self.warmBuffers)
        trimmedBytes = countedBytes
    }

    // MARK: Private

    private mutating func trim(keeping warm: Int) {
        // The bottom of the stack is the least recently used.
        for position in 0..<max(freeCount - warm, 0) { empty(unsafe free[position]) }
    }

    /// Returns the memory of a free buffer to the kernel; it reads as zeros when it is lent again.
    private mutating func empty(_ index: Int32) {
        // Safe: the index is one of a buffer that was lent before.
        let count = unsafe counted[Int(index)]
        guard count > 0 else { return }
        _ = unsafe madvise(base + Int(index) * Self.bufferBytes, Self.bufferBytes, MADV_DONTNEED)
        unsafe counted[Int(index)] = 0
        countedBytes -= Int(count)
    }

    private mutating func makeRoom() -> Bool {
        trim(keeping: 0)
        return countedBytes <= limitBytes - Self.bufferBytes
    }

    /// Makes more of the reserved address space usable; false if there is none, or the system grants none.
    private mutating func extend() -> Bool {
        let more = min(Self.buffersAStep, capacity - usable)
        guard more > 0 else { return false }
        // Safe: within the mapping, where nothing was ever lent.
        let start = unsafe base + usable * Self.bufferBytes
        guard unsafe mprotect(start, more * Self.bufferBytes, PROT_READ | PROT_WRITE) == 0 else { return false }
        usable += more
        return true
    }

    /// Bytes in whole pages.
    private static func counted(_ count: Int) -> Int32 {
        Int32(min((count + 4095) & ~4095, bufferBytes))
    }

    /// Room for the plaintext of a full receive and of a partial record kept from before, or for the records that seal
    /// a full receive: a multiple of the page size.
    static let bufferBytes = 272 * 1024
    static let none: Int32 = -1
    static let warmBuffers = 8
    private static let leastCountedBytes = 8 * 1024
    private static let buffersAStep = 16
}
