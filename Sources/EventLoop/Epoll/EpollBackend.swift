import CLibURing
import Glibc
import System

/// The loop over epoll, completion-shaped: the I/O is tried first and waits only where it would block.
///
/// A descriptor is registered once, edge-triggered; `readable` and `writable` remember whether a try can succeed. After
/// a short read the next try waits for an edge, unless the peer has hung up, of which there is no second edge.
@safe
struct EpollBackend: ~Copyable {
    private let epoll: OwnedDescriptor
    private let wake: OwnedDescriptor
    var buffers: ReceiveBuffers
    var free: FreeBuffers
    var budget: ReceiveBudget
    /// How many receives may still be made in this tick.
    var receivesLeft = 0
    /// How many receives were put off to the next tick for that.
    var starved = 0
    var completions = CompletionQueue(capacity: completionsATick)
    var states: DescriptorStates
    /// Completions that no attempt makes: those of cancelled operations, refused ones and wakes.
    private var deferred = CompletionBacklog()
    /// Descriptors with an operation worth trying.
    private var untried: DescriptorQueue
    private let events: UnsafeMutablePointer<epoll_event>
    private var ticksSinceWait = 0
    /// `completions` holds some that are for the next tick.
    private var isAhead = false
    /// The kernel has not refused `epoll_pwait2`.
    private var waitsPrecisely = true

    init(_ limits: LoopLimits) throws(EventLoopFault) {
        let epollNumber = epoll_create1(postern_epoll_cloexec)
        guard epollNumber >= 0 else { throw .systemCall("epoll_create1", errno: errno) }
        let epoll = OwnedDescriptor(epollNumber)
        let wakeNumber = eventfd(0, postern_eventfd_cloexec | postern_eventfd_nonblock)
        guard wakeNumber >= 0 else { throw .systemCall("eventfd", errno: errno) }
        let wake = OwnedDescriptor(wakeNumber)
        let registered = Self.register(wakeNumber, for: postern_epoll_in, with: epollNumber)
        guard registered == 0 else { throw .systemCall("epoll_ctl", errno: 0 - registered) }
        buffers = try ReceiveBuffers(count: limits.receiveBuffers, bufferBytes: limits.receiveBufferBytes)
        self.epoll = epoll
        self.wake = wake
        free = FreeBuffers(count: limits.receiveBuffers)
        budget = ReceiveBudget(limits)
        states = DescriptorStates()
        untried = DescriptorQueue()
        unsafe events = .allocate(capacity: Self.eventsAWait)
    }

    deinit { unsafe events.deallocate() }

    /// Becomes readable when another thread wants this loop's wait to end.
    var wakeDescriptor: Int32 { wake.number }

    // MARK: Operations

    mutating func accept(_ descriptor: Int32, _ token: OperationToken) {
        // The listener may come blocking: an accept that finds the connection gone must not hang the worker.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        guard isRegistered(descriptor, or: token) else { return }
        states.update(descriptor) { state in
            precondition(!state.wants.contains(.accept), "two accepts on one listener")
            state.wants.insert(.accept)
            state.isListener = true
            state.readToken = token
        }
        enqueue(descriptor)
    }

    @inline(__always)
    mutating func receive(_ descriptor: Int32, _ token: OperationToken) {
        guard isRegistered(descriptor, or: token) else { return }
        let tries = states.update(descriptor) { state in
            precondition(!state.wants.contains(.receive), "two receives on one descriptor")
            state.wants.insert(.receive)
            state.readToken = token
            return state.readable
        }
        if tries { enqueue(descriptor) }
    }

    @inline(__always)
    mutating func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ token: OperationToken) {
        guard isRegistered(descriptor, or: token) else { return }
        let tries = states.update(descriptor) { state in
            precondition(!state.wants.contains(.send), "two sends on one descriptor")
            state.wants.insert(.send)
            state.writeToken = token
            unsafe state.bytes = bytes
            state.count = count
            return state.writable
        }
        if tries { enqueue(descriptor) }
    }

    mutating func connect(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {
        connected(descriptor, address.connect(descriptor), token)
    }

    /// A connect was made: zero, or a negated errno, EINPROGRESS if it has only begun.
    mutating func connected(_ descriptor: Int32, _ result: Int32, _ token: OperationToken) {
        guard isRegistered(descriptor, or: token) else { return }
        states.update(descriptor) { state in
            state.wants.insert(.connect)
            state.writeToken = token
            state.writable = false
            state.connectResult = result
        }
        if result != 0 - EINPROGRESS { enqueue(descriptor) }
    }

    mutating func cancel(_ descriptor: Int32, _ token: OperationToken) {
        let found = states.update(descriptor) { state in
            if state.readToken == token, !state.wants.isDisjoint(with: [.receive, .accept]) {
                state.wants.subtract([.receive, .accept])
                return true
            }
            if state.writeToken == token, !state.wants.isDisjoint(with: [.send, .connect]) {
                state.wants.subtract([.send, .connect])
                return true
            }
            return false
        }
        if found { deferred.append(Completion(token: token, result: 0 - ECANCELED)) }
    }

    @inline(__always)
    mutating func giveBack(_ buffer: Int32) {
        buffers.takeBack(buffer)
        free.put(buffer)
    }

    mutating func close(_ descriptor: Int32, reset: Bool) {
        let isListener = states.update(descriptor) { state in
            precondition(state.wants.isEmpty, "a descriptor was closed under an operation")
            defer { state = DescriptorState(queued: state.queued) }
            return state.isListener
        }
        if isListener { _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, nil) }
        Sockets.close(descriptor, reset: reset)
    }

    /// Takes a connection that is queued already: a negated errno, EAGAIN if there is none.
    mutating func acceptQueued(_ listener: Int32) -> Int32 {
        let accepted = Sockets.acceptQueued(listener, nonBlocking: true)
        if accepted >= 0 { begin(accepted) }
        return accepted
    }

    mutating func openSocket(for address: SocketAddress) -> Int32 {
        let descriptor = Sockets.open(for: address, nonBlocking: true)
        if descriptor >= 0 { begin(descriptor) }
        return descriptor
    }

    // MARK: The tick

    /// Attempts untried operations; their completions come with the next tick.
    mutating func submit() {
        if !isAhead { beginTick() }
        isAhead = true
        tryQueued()
    }

    /// Attempts untried operations; waits only if none completed, but polls for other events every few ticks.
    mutating func tick(timeoutNanoseconds: UInt64) throws(EventLoopFault) {
        let wasAhead = isAhead
        if !wasAhead { beginTick() }
        isAhead = false
        takeDeferred()
        tryQueued()
        ticksSinceWait += 1
        // After a long step of the owner, the sockets not served before it are due: poll for them.
        if completions.count > 0 && !wasAhead && ticksSinceWait < Self.ticksBetweenWaits { return }
        let idle = completions.count == 0 && untried.isEmpty
        ticksSinceWait = 0
        let longest = min(timeoutNanoseconds, Self.longestWaitNanoseconds)
        let room = Int32(max(min(Self.eventsAWait, completions.capacity - completions.count), 1))
        let ready = wait(nanoseconds: idle ? longest : 0, room)
        guard ready >= 0 else {
            if errno == EINTR { return }
            throw .systemCall("epoll_wait", errno: errno)
        }
        for index in 0..<Int(ready) {
            // Safe: index < ready.
            let event = unsafe events[index]
            unsafe note(event.events, on: Int32(bitPattern: event.data.u32))
        }
        tryQueued()
    }

    // MARK: Private

    private mutating func beginTick() {
        completions.removeAll()
        budget.starved(starved)
        starved = 0
        receivesLeft = budget.buffersATick
    }

    /// Waits for events; short waits to the microsecond where the kernel can (5.11), others to the millisecond.
    private mutating func wait(nanoseconds: UInt64, _ room: Int32) -> Int32 {
        if nanoseconds > 0, nanoseconds < Self.preciseWaitNanoseconds, waitsPrecisely {
            var timeout = timespec(tv_sec: 0, tv_nsec: Int(nanoseconds))
            // Safe, here and below: `events` holds eventsAWait entries, and `room` is not more.
            let ready = unsafe epoll_pwait2(epoll.number, events, room, &timeout, nil)
            if ready >= 0 || errno == EINTR { return ready }
            // ENOSYS, or a sandbox that does not know the call.
            waitsPrecisely = false
        }
        // Rounded up, so that a timer is due when the wait ends.
        return unsafe epoll_wait(epoll.number, events, room, Int32((nanoseconds + 999_999) / 1_000_000))
    }

    private mutating func note(_ ready: UInt32, on descriptor: Int32) {
        if descriptor == wakeDescriptor {
            guard EventCounter.clear(wakeDescriptor) else { return }
            deferred.append(Completion(token: .wake, result: 8))
            takeDeferred()
            return
        }
        let hangup = ready & postern_epoll_hangup != 0
        let tries = states.update(descriptor) { state in
            if hangup { state.hangup = true }
            if hangup || ready & postern_epoll_in != 0 { state.readable = true }
            if hangup || ready & postern_epoll_out != 0 { state.writable = true }
            return !state.wants.isEmpty
        }
        if tries { enqueue(descriptor) }
    }

    private mutating func takeDeferred() {
        while !completions.isFull, let next = deferred.removeFirst() { completions.append(next) }
    }

    private mutating func tryQueued() {
        // Only those that are queued now: what is queued again waits for the next round.
        for _ in 0..<untried.count {
            guard completions.capacity - completions.count >= Self.completionsATry else { return }
            let descriptor = untried.removeFirst()
            states.update(descriptor) { $0.queued = false }
            attempt(descriptor)
        }
    }

    /// A new descriptor must not inherit the state of one that was closed elsewhere: nothing would ever clear it.
    mutating func begin(_ descriptor: Int32) {
        states.reserve(descriptor)
        precondition(!states[descriptor].registered, "a descriptor was closed behind the loop's back")
    }

    @inline(__always)
    mutating func enqueue(_ descriptor: Int32) {
        let isNew = states.update(descriptor) { state in
            defer { state.queued = true }
            return !state.queued
        }
        if isNew { untried.append(descriptor) }
    }

    /// Registers the descriptor at its first operation; false if the kernel refuses, which completes the operation.
    @inline(__always)
    private mutating func isRegistered(_ descriptor: Int32, or token: OperationToken) -> Bool {
        states.reserve(descriptor)
        if states[descriptor].registered { return true }
        let result = Self.register(descriptor, for: Self.everyEvent, with: epoll.number)
        guard result == 0 else {
            deferred.append(Completion(token: token, result: result))
            return false
        }
        states.update(descriptor) { $0.registered = true }
        return true
    }

    /// Fails with ENOSPC (fs.epoll.max_user_watches) and ENOMEM.
    private static func register(_ descriptor: Int32, for events: UInt32, with epoll: Int32) -> Int32 {
        var event = unsafe epoll_event()
        unsafe event.events = events | postern_epoll_edge
        unsafe event.data.u32 = UInt32(bitPattern: descriptor)
        // Safe: the kernel copies the event.
        return Int32(systemCall { unsafe Int(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) })
    }

    private static var everyEvent: UInt32 { postern_epoll_in | postern_epoll_out | postern_epoll_hangup }
    private static let completionsATick = 1024
    private static let eventsAWait = 256
    private static let ticksBetweenWaits = 4
    private static let longestWaitNanoseconds: UInt64 = 60_000_000_000
    private static let preciseWaitNanoseconds: UInt64 = 100_000_000
    static let acceptsATry = 16
    /// The most that one try appends: a send, a receive and sixteen accepts.
    private static let completionsATry = 20
}
