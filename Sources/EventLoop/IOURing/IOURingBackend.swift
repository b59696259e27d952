import CLibURing
import Glibc
import System

/// The loop over io_uring: one ring, one submit-and-wait a tick, receives into a ring of provided buffers.
///
/// Sockets stay blocking: the kernel arms its own poll, where O_NONBLOCK would end an operation with EAGAIN.
@safe
struct IOURingBackend: ~Copyable {
    private let ring: UnsafeMutablePointer<io_uring>
    private let bufferRing: UnsafeMutablePointer<io_uring_buf_ring>
    private let wakeCount: UnsafeMutablePointer<UInt64>
    private let addresses: UnsafeMutablePointer<sockaddr_storage>
    private var nextAddress = 0
    /// Submitted last and together: a reader that the first one wakes is awake for the others.
    private var sends = PreparedSends(capacity: completionsATick)
    /// Operations were submitted since the last tick, so that completions may be in the ring before the sockets were
    /// polled.
    private var isAhead = false
    /// Those of `buffers` that neither the kernel nor the owner holds.
    private var free: FreeBuffers
    private var budget: ReceiveBudget
    /// Buffers that the kernel holds, or has used for completions not read yet.
    private var provided = 0
    /// Completions that were taken out of the kernel's queue before their tick, because it was full, and those that the
    /// kernel does not make.
    private var early: [RawCompletion] = []
    /// The read of the wake's descriptor has completed.
    private var wakeIsDue = false
    /// Why operations can no longer be submitted; the next tick throws it.
    private var fault: EventLoopFault?
    /// A dummy entry for an operation that cannot be submitted.
    private let lostEntry: UnsafeMutablePointer<io_uring_sqe>
    private let wake: OwnedDescriptor
    var buffers: ReceiveBuffers
    var completions = CompletionQueue(capacity: completionsATick)

    init(_ limits: LoopLimits) throws(EventLoopFault) {
        let buffers = try ReceiveBuffers(count: limits.receiveBuffers, bufferBytes: limits.receiveBufferBytes)
        let ring = unsafe try Self.makeRing()
        var undo: [() -> Void] = [
            {
                unsafe io_uring_queue_exit(ring)
                unsafe ring.deallocate()
            }
        ]
        do throws(EventLoopFault) {
            let bufferRing = unsafe try Self.makeBufferRing(ring, buffers)
            undo.append { unsafe Glibc.free(bufferRing) }
            let wakeNumber = eventfd(0, postern_eventfd_cloexec)
            guard wakeNumber >= 0 else { throw .systemCall("eventfd", errno: errno) }
            wake = OwnedDescriptor(wakeNumber)
            unsafe self.ring = ring
            unsafe self.bufferRing = bufferRing
            unsafe wakeCount = .allocate(capacity: 1)
            unsafe wakeCount.initialize(to: 0)
            unsafe lostEntry = .allocate(capacity: 1)
            unsafe lostEntry.initialize(to: io_uring_sqe())
            // Not initialised, so that it is resident only as far as dials reach.
            unsafe addresses = .allocate(capacity: Int(Self.submissionEntries))
            self.buffers = buffers
            free = FreeBuffers(count: limits.receiveBuffers)
            budget = ReceiveBudget(limits)
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
        armWake()
    }

    deinit {
        // Closing a ring cancels its operations only later; the memory that they write to is about to be freed, so they
        // end first. Safe: each was made in `init`; the call fails only where nothing is in flight.
        var everything = io_uring_sync_cancel_reg()
        everything.fd = -1
        everything.flags = UInt32(IORING_ASYNC_CANCEL_ANY)
        everything.timeout = __kernel_timespec(tv_sec: -1, tv_nsec: -1)
        _ = unsafe io_uring_register_sync_cancel(ring, &everything)
        unsafe io_uring_queue_exit(ring)
        unsafe ring.deallocate()
        unsafe Glibc.free(bufferRing)
        unsafe wakeCount.deallocate()
        unsafe addresses.deallocate()
        unsafe lostEntry.deallocate()
    }

    /// Becomes readable when another thread wants this loop's wait to end.
    var wakeDescriptor: Int32 { wake.number }

    // MARK: Operations

    mutating func accept(_ descriptor: Int32, _ token: OperationToken, isShared: Bool) {
        let entry = unsafe nextEntry(token)
        if isShared {
            // A multishot accept keeps its place in the socket's wait queue: the first one would get all connections.
            unsafe io_uring_prep_accept(entry, descriptor, nil, nil, postern_sock_cloexec)
        } else {
            unsafe io_uring_prep_multishot_accept(entry, descriptor, nil, nil, postern_sock_cloexec)
        }
        unsafe entry.pointee.user_data = token.raw
    }

    @inline(__always)
    mutating func receive(_ descriptor: Int32, _ token: OperationToken, expectsBytes: Bool) {
        let entry = unsafe nextEntry(token)
        unsafe io_uring_prep_recv(entry, descriptor, nil, 0, 0)
        if !expectsBytes { unsafe entry.pointee.ioprio |= postern_receive_poll_first }
        unsafe entry.pointee.flags |= postern_sqe_buffer_select
        unsafe entry.pointee.buf_group = Self.bufferGroup
        unsafe entry.pointee.user_data = token.raw
    }

    @inline(__always)
    mutating func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ token: OperationToken) {
        if sends.isFull { prepareSends() }
        // Safe: the owner keeps the bytes until the completion.
        unsafe sends.append(PreparedSends.Send(descriptor: descriptor, count: count, bytes: bytes, token: token))
    }

    mutating func connect(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {
        let entry = unsafe nextEntry(token)
        // Safe: the kernel copies the address when the entry is submitted, and there are as many as entries.
        let slot = unsafe addresses + nextAddress
        nextAddress = (nextAddress + 1) % Int(Self.submissionEntries)
        unsafe slot.initialize(to: sockaddr_storage())
        let length = unsafe address.write(to: &slot.pointee)
        unsafe slot.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            unsafe io_uring_prep_connect(entry, descriptor, address, length)
        }
        unsafe entry.pointee.user_data = token.raw
    }

    /// An operation that the kernel does not know has ended.
    mutating func complete(_ token: OperationToken, _ result: Int32) {
        early.append(RawCompletion(userData: token.raw, result: result, flags: 0))
    }

    mutating func cancel(_ token: OperationToken) {
        // The operation to cancel must be submitted before it.
        prepareSends()
        let entry = unsafe nextEntry(token)
        unsafe io_uring_prep_cancel64(entry, token.raw, 0)
        unsafe entry.pointee.user_data = OperationToken.cancellation.raw
    }

    @inline(__always)
    mutating func giveBack(_ buffer: Int32) {
        buffers.takeBack(buffer)
        free.put(buffer)
    }

    /// Gives the kernel as many buffers as the budget says, those used last first.
    private mutating func provideBuffers() {
        let target = budget.buffersATick
        while provided < target, let buffer = free.take() {
            // Safe: `pointer` checks the index; the kernel owns the buffer again from the advance on.
            unsafe io_uring_buf_ring_add(
                bufferRing, buffers.pointer(buffer), UInt32(buffers.receiveBytes), UInt16(truncatingIfNeeded: buffer),
                io_uring_buf_ring_mask(UInt32(buffers.count)), 0)
            unsafe io_uring_buf_ring_advance(bufferRing, 1)
            provided += 1
        }
    }

    // MARK: The tick

    /// Submits the prepared operations. Those that the kernel does not accept now follow with the next tick.
    mutating func submit() {
        prepareSends()
        guard unsafe io_uring_sq_ready(ring) > 0 else { return }
        provideBuffers()
        _ = unsafe io_uring_submit(ring)
        isAhead = true
    }

    /// Submits the prepared operations and waits for a completion or the time-out.
    mutating func tick(timeoutNanoseconds: UInt64) throws(EventLoopFault) {
        completions.removeAll()
        prepareSends()
        provideBuffers()
        if let fault { throw fault }
        let wait = early.isEmpty ? timeoutNanoseconds : 0
        var timeout = __kernel_timespec(
            tv_sec: Int64(wait / 1_000_000_000), tv_nsec: Int64(wait % 1_000_000_000))
        var first: UnsafeMutablePointer<io_uring_cqe>?
        // Collects newer completions; a wait that finds one in the ring would return without them.
        if isAhead { _ = unsafe io_uring_get_events(ring) }
        isAhead = false
        let result = unsafe io_uring_submit_and_wait_timeout(ring, &first, 1, &timeout, nil)
        switch 0 - result {
        case ETIME, EINTR, EAGAIN, EBUSY: break
        case let code where code > 0: throw .systemCall("io_uring_enter", errno: code)
        default: break
        }
        // All is submitted: the addresses of dials are free.
        if unsafe io_uring_sq_ready(ring) == 0 { nextAddress = 0 }
        takeCompletions()
    }

    // MARK: Private

    private mutating func prepareSends() {
        for index in 0..<sends.count {
            let send = sends[index]
            let entry = unsafe nextEntry(send.token)
            // Safe: the owner keeps the bytes until the completion.
            unsafe io_uring_prep_send(entry, send.descriptor, send.bytes, send.count, postern_msg_nosignal)
            unsafe entry.pointee.user_data = send.token.raw
        }
        sends.removeAll()
    }

    private mutating func takeCompletions() {
        let taken = takeEarly()
        let ready = min(Int(unsafe io_uring_cq_ready(ring)), Self.completionsATick - taken)
        let mayStarve = ready > provided
        budget.starved(mayStarve ? takeStarved(of: ready) : 0)
        for offset in 0..<ready {
            // Safe: offset < ready.
            let entry = unsafe postern_completion_at(ring, UInt32(truncatingIfNeeded: offset))
            if mayStarve, entry.res == -ENOBUFS { continue }
            take(RawCompletion(userData: entry.user_data, result: entry.res, flags: entry.flags))
        }
        unsafe io_uring_cq_advance(ring, UInt32(truncatingIfNeeded: ready))
        // Only now: where the submission queue is full, this takes completions out early, and so moves the queue.
        if wakeIsDue { armWake() }
    }

    @inline(__always)
    private mutating func take(_ entry: RawCompletion) {
        let token = OperationToken(raw: entry.userData)
        if token == .cancellation { return }
        if token == .wake { wakeIsDue = true }
        var buffer: Int32 = -1
        var moreFlags = postern_cqe_more
        if entry.flags & postern_cqe_buffer != 0 {
            // An accept's completion has this flag too, of clients that wait, and may be the last one all the same.
            moreFlags |= postern_cqe_socket_nonempty
            let used = Int32(truncatingIfNeeded: entry.flags >> postern_cqe_buffer_shift)
            provided -= 1
            if entry.result > 0 {
                buffers.lend(used)
                budget.received(Int(entry.result))
                buffer = used
            } else {
                free.put(used)
            }
        }
        completions.append(
            Completion(token: token, result: entry.result, buffer: buffer, more: entry.flags & moreFlags != 0))
    }

    /// Takes the early completions, as many as a tick has room for; returns how many.
    private mutating func takeEarly() -> Int {
        guard !early.isEmpty else { return 0 }
        let count = min(early.count, Self.completionsATick)
        let entries = early[..<count]
        early.removeFirst(count)
        for entry in entries { take(entry) }
        return count
    }

    /// Makes room in the kernel's completion queue; false if it was empty.
    private mutating func takeOutEarly() -> Bool {
        let ready = Int(unsafe io_uring_cq_ready(ring))
        for offset in 0..<ready {
            // Safe: offset < ready.
            let entry = unsafe postern_completion_at(ring, UInt32(truncatingIfNeeded: offset))
            early.append(RawCompletion(userData: entry.user_data, result: entry.res, flags: entry.flags))
        }
        unsafe io_uring_cq_advance(ring, UInt32(truncatingIfNeeded: ready))
        return ready > 0
    }

    /// Receives that found no buffer come first, so that they are armed again, and served, before those that had one.
    /// Returns how many there are.
    private mutating func takeStarved(of ready: Int) -> Int {
        let before = completions.count
        for offset in 0..<ready {
            // Safe: offset < ready.
            let entry = unsafe postern_completion_at(ring, UInt32(truncatingIfNeeded: offset))
            guard entry.res == -ENOBUFS else { continue }
            completions.append(
                Completion(
                    token: OperationToken(raw: entry.user_data), result: entry.res,
                    more: entry.flags & postern_cqe_more != 0))
        }
        return completions.count - before
    }

    @inline(__always)
    private mutating func nextEntry(_ token: OperationToken) -> UnsafeMutablePointer<io_uring_sqe> {
        if let entry = unsafe io_uring_get_sqe(ring) { return unsafe entry }
        return unsafe entryAfterSubmission()
    }

    /// The queue is full: submits it to the kernel, which accepts all of it unless it has no room for completions
    /// (EBUSY) or no memory (EAGAIN, ENOMEM).
    private mutating func entryAfterSubmission() -> UnsafeMutablePointer<io_uring_sqe> {
        guard fault == nil else { return unsafe lostEntry }
        provideBuffers()
        var result: Int32 = 0
        let deadline = MonotonicClock.nanoseconds() + Self.submissionPatienceNanoseconds
        while MonotonicClock.nanoseconds() < deadline {
            result = unsafe io_uring_submit(ring)
            if let entry = unsafe io_uring_get_sqe(ring) { return unsafe entry }
            if !takeOutEarly() { sched_yield() }
        }
        fault = .systemCall("io_uring_enter", errno: 0 - result)
        return unsafe lostEntry
    }

    private mutating func armWake() {
        wakeIsDue = false
        let entry = unsafe nextEntry(.wake)
        // Safe: `wakeCount` lives as long as the ring.
        unsafe io_uring_prep_read(entry, wakeDescriptor, wakeCount, 8, 0)
        unsafe entry.pointee.user_data = OperationToken.wake.raw
    }

    private static func makeRing() throws(EventLoopFault) -> UnsafeMutablePointer<io_uring> {
        let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
        unsafe ring.initialize(to: io_uring())
        let flags = postern_setup_single_issuer | postern_setup_defer_taskrun | postern_setup_submit_all
        // Safe: the ring is heap memory of its own, so that its address stays.
        let result = unsafe io_uring_queue_init(submissionEntries, ring, flags)
        guard result == 0 else {
            unsafe ring.deallocate()
            switch 0 - result {
            case EINVAL: throw .ioURingLacks("SINGLE_ISSUER and DEFER_TASKRUN (kernel 6.1)")
            default: throw .ioURingRefused(errno: 0 - result)
            }
        }
        // Saves each call the look-up of the ring; optional, as kernels before 5.18 lack it.
        _ = unsafe io_uring_register_ring_fd(ring)
        guard unsafe postern_has_opcodes(ring) != 0 else {
            unsafe io_uring_queue_exit(ring)
            unsafe ring.deallocate()
            throw .ioURingLacks("an operation that the loop needs")
        }
        return unsafe ring
    }

    private static func makeBufferRing(
        _ ring: UnsafeMutablePointer<io_uring>, _ buffers: borrowing ReceiveBuffers
    ) throws(EventLoopFault) -> UnsafeMutablePointer<io_uring_buf_ring> {
        precondition(buffers.count & (buffers.count - 1) == 0, "a ring of buffers holds a power of two")
        var memory: UnsafeMutableRawPointer?
        let code = unsafe posix_memalign(&memory, 4096, buffers.count * MemoryLayout<io_uring_buf>.stride)
        guard code == 0, let memory = unsafe memory else { throw .systemCall("posix_memalign", errno: code) }
        var registration = io_uring_buf_reg()
        registration.ring_addr = UInt64(UInt(bitPattern: memory))
        registration.ring_entries = UInt32(buffers.count)
        registration.bgid = bufferGroup
        let result = unsafe io_uring_register_buf_ring(ring, &registration, 0)
        guard result == 0 else {
            unsafe Glibc.free(memory)
            switch 0 - result {
            case EINVAL: throw .ioURingLacks("rings of provided buffers (kernel 5.19)")
            default: throw .ioURingRefused(errno: 0 - result)
            }
        }
        let bufferRing = unsafe memory.bindMemory(to: io_uring_buf_ring.self, capacity: 1)
        unsafe io_uring_buf_ring_init(bufferRing)
        return unsafe bufferRing
    }

    private static let submissionEntries: UInt32 = 1024
    private static let completionsATick = 1024
    /// How long the kernel may lack the resources to accept operations.
    private static let submissionPatienceNanoseconds: Int64 = 1_000_000_000
    private static let bufferGroup: UInt16 = 0
}

/// The kernel's completion of one operation.
private struct RawCompletion {
    let userData: UInt64
    let result: Int32
    let flags: UInt32
}
