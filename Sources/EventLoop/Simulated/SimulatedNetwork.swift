import Glibc
public import System

/// A network in memory for one ``EventLoop``, with a clock of its own: one seed is one run, faults included.
///
/// The loop's owner uses it through ``EventLoop/simulated(_:)``; a test is the outside world, through
/// ``connectPeer(to:from:)`` and ``backend(at:)``. It belongs to one thread. It traps on bugs of the owner: a close
/// under an operation, two receives on one descriptor, bytes changed under a send, a buffer kept.
public final class SimulatedNetwork {
    /// What a descriptor of the proxy stands for.
    enum Place {
        case socket
        case connecting
        case listener(SimulatedListener)
        case stream(SimulatedConnection, SimulatedConnection.Side)
    }

    /// Receives, sends, accepts and sockets so far: those that could fail.
    public private(set) var operationCount = 0
    /// The number of the one that fails, from 0, beside what ``faults`` says.
    public var failingOperation: Int?
    public var faults: SimulatedFaults
    /// Monotonic nanoseconds.
    public internal(set) var now: UInt64 = 1_000_000_000
    /// Descriptors that the proxy may have at a time, as RLIMIT_NOFILE would say.
    public var descriptorLimit = Int.max
    /// Descriptors of the proxy that are open, those of ``listen(on:)`` included.
    public private(set) var openDescriptors = 0

    var buffers: ReceiveBuffers
    var free: FreeBuffers
    var completions = CompletionQueue(capacity: completionsATick)
    var random: SimulatedRandom
    var wallOffset: Int64 = 1_750_000_000_000_000_000
    var pending: [SimulatedOperation] = []
    var wakes = 0
    var listeners: [SocketAddress: SimulatedListener] = [:]
    var backends: [SocketAddress: SimulatedBackend] = [:]
    var dialCounts: [SocketAddress: Int] = [:]
    /// Where clients wanted to go whose connections a firewall redirected, by their addresses.
    var redirections: [SocketAddress: SocketAddress] = [:]
    /// Addresses of the proxy's host, beside those of loopback; of any port.
    public var ownHosts: [SocketAddress] = []
    private var places: [Place?] = []
    private var nextPort: UInt16 = 32768

    public init(seed: UInt64, faults: SimulatedFaults = .none, limits: LoopLimits = LoopLimits()) {
        self.faults = faults
        random = SimulatedRandom(seed: seed)
        do throws(EventLoopFault) {
            buffers = try ReceiveBuffers(count: limits.receiveBuffers, bufferBytes: limits.receiveBufferBytes)
        } catch {
            preconditionFailure("no memory for a simulation: \(error)")
        }
        free = FreeBuffers(count: limits.receiveBuffers)
    }

    /// Unix nanoseconds; runs with ``now``, but for jumps.
    public var wallClock: Int64 { wallOffset + Int64(now) }
    /// Operations of the proxy that have not completed.
    public var operationsInFlight: Int { pending.count }
    /// Receive buffers that were not given back.
    public var lentBuffers: Int { buffers.count - free.count }

    // MARK: What the loop calls

    func accept(_ descriptor: Int32, _ token: OperationToken, isShared: Bool) {
        guard case .listener(let listener) = place(descriptor) else { preconditionFailure("an accept on no listener") }
        submit(.accept(listener, isShared: isShared), token, descriptor)
    }

    func acceptQueued(_ descriptor: Int32) -> Int32 {
        guard case .listener(let listener) = place(descriptor) else { preconditionFailure("an accept on no listener") }
        precondition(!pending.contains { $0.descriptor == descriptor }, "an accept beside an armed one")
        guard !listener.isEmpty else { return 0 - EAGAIN }
        if random.chance(faults.failedAccepts) || isToFail() { return 0 - faults.acceptErrno }
        let accepted = open(.socket)
        if accepted >= 0 { become(.stream(listener.removeFirst(), .acceptor), accepted) }
        return accepted
    }

    func receive(_ descriptor: Int32, _ token: OperationToken) {
        guard case .stream(let connection, let side) = place(descriptor) else {
            preconditionFailure("a receive on no connection")
        }
        submit(.receive(connection, side), token, descriptor)
    }

    func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ token: OperationToken) {
        guard case .stream(let connection, let side) = place(descriptor) else {
            preconditionFailure("a send on no connection")
        }
        // Safe: the owner keeps the bytes until the completion.
        let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        unsafe submit(
            .send(connection, side, bytes, checksum: SimulatedOperation.checksum(bytes)), token, descriptor)
    }

    func connect(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {
        guard case .socket = place(descriptor) else { preconditionFailure("a connect of a used socket") }
        dialCounts[address, default: 0] += 1
        let fate: SimulatedOperation.DialFate =
            if random.chance(faults.refusedDials) { .refused } else if random.chance(faults.hangingDials) {
                .hangs
            } else { .asTheListenerSays }
        places[Int(descriptor)] = .connecting
        submit(.connect(to: address, fate: fate), token, descriptor)
    }

    func cancel(_ descriptor: Int32, _ token: OperationToken) {
        _ = place(descriptor)
        for index in pending.indices where pending[index].token == token {
            precondition(pending[index].descriptor == descriptor, "a cancel through another descriptor")
            pending[index].cancelled = true
        }
    }

    func giveBack(_ buffer: Int32) {
        buffers.takeBack(buffer)
        // Makes a use after this visible. Safe: `pointer` checks the index; the buffer is as long as said.
        unsafe memset(buffers.pointer(buffer), 0xDB, buffers.bufferBytes)
        free.put(buffer)
    }

    func openSocket() -> Int32 {
        if random.chance(faults.socketWithoutDescriptors) || isToFail() { return 0 - EMFILE }
        return open(.socket)
    }

    /// Whether the operation that is about to succeed is the one that a test wants to fail.
    func isToFail() -> Bool {
        defer { operationCount += 1 }
        return operationCount == failingOperation
    }

    func shutdownWrite(_ descriptor: Int32) {
        guard case .stream(let connection, let side) = place(descriptor) else { return }
        for operation in pending where operation.descriptor == descriptor {
            if case .send = operation.kind { preconditionFailure("a shutdown that would cut a send") }
        }
        connection.finish(side)
    }

    func close(_ descriptor: Int32, reset: Bool) {
        precondition(
            !pending.contains { $0.descriptor == descriptor }, "a descriptor was closed under an operation")
        switch place(descriptor) {
        case .socket, .connecting: break
        case .listener(let listener):
            listeners[listener.address] = nil
            listener.close()
        case .stream(let connection, let side):
            if reset { connection.reset(side) } else { connection.close(side) }
        }
        places[Int(descriptor)] = nil
        openDescriptors -= 1
    }

    func address(of descriptor: Int32, _ end: SocketEnd) -> SocketAddress? {
        switch (place(descriptor), end) {
        case (.stream(let connection, let side), .local): connection.address(of: side)
        case (.stream(let connection, let side), .peer):
            connection.wasReset(side) ? nil : connection.address(of: side.other)
        case (.listener(let listener), .local): listener.address
        default: nil
        }
    }

    // MARK: Descriptors

    /// The lowest free descriptor, as the kernel would choose it; EMFILE past the limit.
    func open(_ place: Place) -> Int32 {
        guard openDescriptors < descriptorLimit else { return 0 - EMFILE }
        openDescriptors += 1
        if let free = places.firstIndex(where: { $0 == nil }) {
            places[free] = place
            return Int32(free)
        }
        places.append(place)
        return Int32(places.count - 1)
    }

    func become(_ place: Place, _ descriptor: Int32) {
        places[Int(descriptor)] = place
    }

    func makeConnection(from: SocketAddress, to address: SocketAddress) -> SimulatedConnection {
        let bytes = random.chance(faults.narrowStreams) ? 1 + random.below(64) : faults.streamBytes
        return SimulatedConnection(from: from, to: address, streamBytes: bytes) { [weak self] unread in
            guard let self, unread > 0, random.chance(faults.lossyResets) else { return unread }
            return random.below(unread + 1)
        }
    }

    /// The address that a dial to `address` comes from.
    func nextLocalAddress(towards address: SocketAddress) -> SocketAddress {
        nextPort = nextPort == 60999 ? 32768 : nextPort + 1
        return address.isIPv6
            ? SocketAddress(v6: 0, 1, port: nextPort) : SocketAddress(v4: 0x7F00_0001, port: nextPort)
    }

    private func place(_ descriptor: Int32) -> Place {
        guard places.indices.contains(Int(descriptor)), let place = places[Int(descriptor)] else {
            preconditionFailure("a descriptor was used after its end")
        }
        return place
    }

    private func submit(_ kind: SimulatedOperation.Kind, _ token: OperationToken, _ descriptor: Int32) {
        let operation = SimulatedOperation(kind, token, descriptor)
        for other in pending {
            precondition(other.token != token, "two operations of one name")
            precondition(
                other.descriptor != descriptor || !other.isSameKind(as: operation),
                "two operations of a kind at once on one descriptor")
        }
        pending.append(operation)
    }

    static let completionsATick = 1024
}
