import CLibURing
import Glibc
public import System

/// The limits of a loop's buffers.
public struct LoopLimits: Sendable {
    /// A power of two. Buffers are lent for a tick only, so that a few serve any number of connections.
    public var receiveBuffers = 16
    /// Its bytes, sealed into records of 16 KiB, are four whole segments of the loopback interface (65,483 bytes each):
    /// a few bytes more and each send would end in a fifth, tiny one. It is not a power of two, so that the buffers'
    /// heads do not map to the same cache lines.
    public var receiveBufferBytes = 510 * 512
    /// The target for the bytes that one tick receives, so that they stay in the cache; see ``ReceiveBudget``.
    public var receivedBytesATick = 320 * 1024

    public init() {}

    /// - Parameter memoryBytes: the budget, of which the receive buffers take a small part.
    public init(memoryBytes: Int) {
        while receiveBuffers > 2, receiveBuffers * receiveBufferBytes > memoryBytes / 14 { receiveBuffers /= 2 }
    }
}

/// The backend that makes the loop's completions.
public enum BackendKind: String, Sendable, CaseIterable {
    case ioURing = "io_uring"
    case epoll
    case simulated
}

/// One worker's event loop: operations go in, completions come out of ``tick(timeoutNanoseconds:)``.
///
/// It belongs to the thread that made it. Each operation ends in exactly one completion (an accept in many, until one
/// without `more`); a receive that finds no free buffer ends with ENOBUFS and must be re-armed. Before a descriptor is
/// closed its operations must have completed: cancel them and wait. Calls that never block have no completion.
@safe
public struct EventLoop: ~Copyable {
    @safe
    enum Backend {
        case ioURing(UnsafeMutablePointer<IOURingBackend>)
        case epoll(UnsafeMutablePointer<EpollBackend>)
        case simulated(Unmanaged<SimulatedNetwork>)
    }

    let backend: Backend
    public let kind: BackendKind
    /// Monotonic nanoseconds, read once a tick.
    public private(set) var now: UInt64
    private var stalledConnects = StalledConnects()

    /// A loop on io_uring; throws if the kernel or its sandbox refuses it.
    public static func ioURing(_ limits: LoopLimits) throws(EventLoopFault) -> EventLoop {
        let pointer = UnsafeMutablePointer<IOURingBackend>.allocate(capacity: 1)
        do throws(EventLoopFault) {
            unsafe pointer.initialize(to: try IOURingBackend(limits))
        } catch {
            unsafe pointer.deallocate()
            throw error
        }
        return unsafe EventLoop(.ioURing(pointer), .ioURing)
    }

    /// A loop on epoll, for systems that refuse io_uring.
    public static func epoll(_ limits: LoopLimits) throws(EventLoopFault) -> EventLoop {
        let pointer = UnsafeMutablePointer<EpollBackend>.allocate(capacity: 1)
        do throws(EventLoopFault) {
            unsafe pointer.initialize(to: try EpollBackend(limits))
        } catch {
            unsafe pointer.deallocate()
            throw error
        }
        return unsafe EventLoop(.epoll(pointer), .epoll)
    }

    /// A loop inside a simulated network, for tests.
    public static func simulated(_ network: SimulatedNetwork) -> EventLoop {
        unsafe EventLoop(.simulated(.passRetained(network)), .simulated)
    }

    private init(_ backend: Backend, _ kind: BackendKind) {
        self.backend = backend
        self.kind = kind
        now = 0
        now = currentNanoseconds()
    }

    deinit {
        // Safe: each was allocated by this loop's factory, and a tick no longer runs.
        switch backend {
        case .ioURing(let pointer):
            unsafe pointer.deinitialize(count: 1)
            unsafe pointer.deallocate()
        case .epoll(let pointer):
            unsafe pointer.deinitialize(count: 1)
            unsafe pointer.deallocate()
        case .simulated(let network): unsafe network.release()
        }
    }

    // MARK: Operations, each ending in a completion

    /// Accepts connections (multishot): one completion per connection, until one without `more`.
    ///
    /// - Parameter isShared: whether other loops accept from the same queue. Then an accept may be for one connection
    ///   only, so that each of them gets its share.
    public mutating func accept(_ listener: Int32, _ token: OperationToken, isShared: Bool = false) {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.accept(listener, token, isShared: isShared)
        case .epoll(let epoll): unsafe epoll.pointee.accept(listener, token)
        case .simulated(let network):
            unsafe network._withUnsafeGuaranteedRef { $0.accept(listener, token, isShared: isShared) }
        }
    }

    /// Receives into a lent buffer once bytes are there; a result of 0 is the peer's FIN.
    ///
    /// After a receive that emptied the socket, `expectsBytes` = false saves a vain attempt; bytes or a FIN that came
    /// in the meantime are still received.
    @inline(__always)
    public mutating func receive(_ descriptor: Int32, _ token: OperationToken, expectsBytes: Bool = true) {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.receive(descriptor, token, expectsBytes: expectsBytes)
        case .epoll(let epoll): unsafe epoll.pointee.receive(descriptor, token)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.receive(descriptor, token) }
        }
    }

    /// Sends some of the bytes, at least one; they must stay where they are until the completion.
    @inline(__always)
    public mutating func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ token: OperationToken) {
        // Safe: the caller promises the lifetime; an empty send would be a bug of ours.
        guard let base = bytes.baseAddress, bytes.count > 0 else { preconditionFailure("an empty send") }
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.send(descriptor, base, bytes.count, token)
        case .epoll(let epoll): unsafe epoll.pointee.send(descriptor, base, bytes.count, token)
        case .simulated(let network):
            unsafe network._withUnsafeGuaranteedRef { unsafe $0.send(descriptor, base, bytes.count, token) }
        }
    }

    /// Connects a socket from ``openSocket(for:)``. Where a Unix socket's listener has a full queue, it waits.
    public mutating func connect(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {
        if address.isUnix, kind != .simulated { return connectUnix(descriptor, to: address, token) }
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.connect(descriptor, to: address, token)
        case .epoll(let epoll): unsafe epoll.pointee.connect(descriptor, to: address, token)
        case .simulated(let network):
            unsafe network._withUnsafeGuaranteedRef { $0.connect(descriptor, to: address, token) }
        }
    }

    /// Cancels an operation; its completion still comes, with ECANCELED or with what it had done by then.
    public mutating func cancel(_ descriptor: Int32, _ token: OperationToken) {
        if !stalledConnects.isEmpty, let connect = stalledConnects.remove(token) {
            return connectEnded(connect, 0 - ECANCELED)
        }
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.cancel(token)
        case .epoll(let epoll): unsafe epoll.pointee.cancel(descriptor, token)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.cancel(descriptor, token) }
        }
    }

    /// How many receives one tick completes at most.
    public var receiveBuffers: Int {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.buffers.count
        case .epoll(let epoll): unsafe epoll.pointee.buffers.count
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.buffers.count }
        }
    }

    /// The size of a receive buffer: the most bytes that one receive brings.
    public var receiveBufferBytes: Int {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.buffers.bufferBytes
        case .epoll(let epoll): unsafe epoll.pointee.buffers.bufferBytes
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.buffers.bufferBytes }
        }
    }

    /// Limits the bytes of a receive, from the next one that finds no buffer ready on; at most the whole buffer.
    @inline(__always)
    public mutating func limitReceives(toBytes bytes: Int) {
        precondition(bytes > 0, "a receive of nothing")
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.buffers.limit(bytes)
        case .epoll(let epoll): unsafe epoll.pointee.buffers.limit(bytes)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.buffers.limit(bytes) }
        }
    }

    // MARK: The tick

    /// Submits the operations without waiting, so that they proceed during a long step of the owner.
    ///
    /// All completions of the last tick must have been handled.
    public mutating func submit() {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.submit()
        case .epoll(let epoll): unsafe epoll.pointee.submit()
        case .simulated: break
        }
    }

    /// Submits the operations, waits for a completion or the time-out, and returns the number of completions.
    ///
    /// A signal or a housekeeping event may end the wait early, with none.
    public mutating func tick(timeoutNanoseconds: UInt64) throws(EventLoopFault) -> Int {
        let timeout = stalledConnects.isEmpty ? timeoutNanoseconds : min(timeoutNanoseconds, retryStalledConnects())
        let count: Int
        switch backend {
        case .ioURing(let ring):
            try unsafe ring.pointee.tick(timeoutNanoseconds: timeout)
            count = unsafe ring.pointee.completions.count
        case .epoll(let epoll):
            try unsafe epoll.pointee.tick(timeoutNanoseconds: timeout)
            count = unsafe epoll.pointee.completions.count
        case .simulated(let network):
            count = unsafe network._withUnsafeGuaranteedRef { $0.tick(timeoutNanoseconds: timeout) }
        }
        now = currentNanoseconds()
        return count
    }

    /// A completion of the last tick, by its index.
    @inline(__always)
    public func completion(_ index: Int) -> Completion {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.completions[index]
        case .epoll(let epoll): unsafe epoll.pointee.completions[index]
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.completions[index] }
        }
    }

    /// The bytes of a receive's completion, until its buffer is given back.
    @inline(__always)
    public func bytes(of completion: Completion) -> UnsafeRawBufferPointer {
        guard completion.buffer >= 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let base: UnsafeMutableRawPointer
        switch backend {
        case .ioURing(let ring): unsafe base = ring.pointee.buffers.pointer(completion.buffer)
        case .epoll(let epoll): unsafe base = epoll.pointee.buffers.pointer(completion.buffer)
        case .simulated(let network):
            unsafe base = network._withUnsafeGuaranteedRef { unsafe $0.buffers.pointer(completion.buffer) }
        }
        return unsafe UnsafeRawBufferPointer(start: base, count: Int(completion.result))
    }

    /// Gives a lent buffer back. Do it before the next tick: an idle connection holds no buffer.
    @inline(__always)
    public mutating func giveBack(_ buffer: Int32) {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.giveBack(buffer)
        case .epoll(let epoll): unsafe epoll.pointee.giveBack(buffer)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.giveBack(buffer) }
        }
    }

    // MARK: What never blocks

    /// A TCP socket for ``connect(_:to:_:)``, or a negated errno such as EMFILE; EPERM where an option of it takes a
    /// privilege that the process has not.
    public mutating func openSocket(for address: SocketAddress, _ options: DialOptions = DialOptions()) -> Int32 {
        let descriptor: Int32
        switch backend {
        case .ioURing: descriptor = Sockets.open(for: address, nonBlocking: false)
        case .epoll(let epoll): descriptor = unsafe epoll.pointee.openSocket(for: address)
        case .simulated(let network): return unsafe network._withUnsafeGuaranteedRef { $0.openSocket() }
        }
        guard descriptor >= 0, !options.isPlain else { return descriptor }
        let outcome = Sockets.apply(options, to: descriptor)
        guard outcome == 0 else {
            close(descriptor)
            return outcome
        }
        return descriptor
    }

    /// Takes a connection that is queued already: a negated errno, EAGAIN if there is none. No accept may be armed.
    public mutating func acceptQueued(_ listener: Int32) -> Int32 {
        switch backend {
        case .ioURing: Sockets.acceptQueued(listener, nonBlocking: false)
        case .epoll(let epoll): unsafe epoll.pointee.acceptQueued(listener)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.acceptQueued(listener) }
        }
    }

    /// Lets no further connection into a TCP listener's queue, so that what is there can be taken before a close: who
    /// comes now is told nothing, tries again a second later, and finds the socket closed.
    public mutating func stopQueueing(_ listener: Int32) {
        switch backend {
        // Without the filter the close resets who came in between, as it would anyway.
        case .ioURing, .epoll: _ = postern_drop_syns(listener)
        case .simulated: break
        }
    }

    /// Bytes that were sent but not acknowledged by the other side.
    public func unacknowledgedBytes(of descriptor: Int32) -> Int {
        switch backend {
        case .ioURing, .epoll: Sockets.unacknowledgedBytes(descriptor)
        case .simulated: 0
        }
    }

    /// Sends FIN after the bytes sent before.
    public mutating func shutdownWrite(_ descriptor: Int32) {
        switch backend {
        case .ioURing, .epoll: Sockets.shutdownWrite(descriptor)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.shutdownWrite(descriptor) }
        }
    }

    /// Closes a descriptor that has no operation left; with `reset` the other side gets RST instead of FIN.
    public mutating func close(_ descriptor: Int32, reset: Bool = false) {
        switch backend {
        case .ioURing: Sockets.close(descriptor, reset: reset)
        case .epoll(let epoll): unsafe epoll.pointee.close(descriptor, reset: reset)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.close(descriptor, reset: reset) }
        }
    }

    /// The other side's address of an accepted socket; nil if it is already gone.
    public func peerAddress(of descriptor: Int32) -> SocketAddress? {
        switch backend {
        case .ioURing, .epoll: SocketAddress(.peer, of: descriptor)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.address(of: descriptor, .peer) }
        }
    }

    /// The process that connected to an accepted Unix socket; nil on any other socket.
    public func localCaller(of descriptor: Int32) -> LocalCaller? {
        switch backend {
        case .ioURing, .epoll: LocalCaller(of: descriptor)
        case .simulated: nil
        }
    }

    /// The address that the socket is bound to; nil if it has none any more.
    public func localAddress(of descriptor: Int32) -> SocketAddress? {
        switch backend {
        case .ioURing, .epoll: SocketAddress(.local, of: descriptor)
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.address(of: descriptor, .local) }
        }
    }

    /// Lets other threads end this loop's wait; nil in a simulation, which has no other threads.
    public var wake: Wake? {
        switch backend {
        case .ioURing(let ring): unsafe Wake(descriptor: ring.pointee.wakeDescriptor)
        case .epoll(let epoll): unsafe Wake(descriptor: epoll.pointee.wakeDescriptor)
        case .simulated: nil
        }
    }

    /// The wall clock in Unix nanoseconds.
    public var wallClock: Int64 {
        switch backend {
        case .ioURing, .epoll: WallClock.nanoseconds()
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.wallClock }
        }
    }

    // MARK: Private

    private mutating func connectUnix(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {
        let connect = StalledConnects.Connect(descriptor: descriptor, address: address, token: token)
        let kind = kind
        let result = stalledConnects.begin(connect, now: now) { Self.attempt($0, kind) }
        if let result { connectEnded(connect, result) }
    }

    /// Returns how long the next tick may wait.
    private mutating func retryStalledConnects() -> UInt64 {
        let kind = kind
        let now = currentNanoseconds()
        for (connect, result) in stalledConnects.retry(now: now, attempt: { Self.attempt($0, kind) }) {
            connectEnded(connect, result)
        }
        return stalledConnects.wait(now: now)
    }

    private static func attempt(_ connect: StalledConnects.Connect, _ kind: BackendKind) -> Int32 {
        Sockets.connectAtOnce(connect.descriptor, to: connect.address, isNonBlocking: kind == .epoll)
    }

    /// Its completion comes with the next tick.
    private mutating func connectEnded(_ connect: StalledConnects.Connect, _ result: Int32) {
        switch backend {
        case .ioURing(let ring): unsafe ring.pointee.complete(connect.token, result)
        case .epoll(let epoll): unsafe epoll.pointee.connected(connect.descriptor, result, connect.token)
        case .simulated: preconditionFailure("a simulated connect has its completion from the network")
        }
    }

    private func currentNanoseconds() -> UInt64 {
        switch backend {
        case .ioURing, .epoll: UInt64(MonotonicClock.nanoseconds())
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.now }
        }
    }
}
