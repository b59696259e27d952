import Glibc
import System
import Testing

@testable import EventLoop

/// A loop of one backend, its outside world, and the completions that no test has asked for yet.
struct Rig: ~Copyable {
    /// A completion whose buffer was copied and given back.
    struct Seen {
        let token: OperationToken
        let result: Int32
        let bytes: [UInt8]
        let more: Bool
    }

    static let kernelKinds: [BackendKind] = [.ioURing, .epoll]

    var loop: EventLoop
    let outside: any OutsideWorld
    let network: SimulatedNetwork?
    private(set) var seen: [Seen] = []
    private var lastToken: UInt32 = 0

    init(_ kind: BackendKind, receiveBuffers: Int = 8, receiveBufferBytes: Int = 4096) throws {
        var limits = LoopLimits()
        limits.receiveBuffers = receiveBuffers
        limits.receiveBufferBytes = receiveBufferBytes
        switch kind {
        case .ioURing:
            loop = try .ioURing(limits)
            network = nil
            outside = KernelWorld()
        case .epoll:
            loop = try .epoll(limits)
            network = nil
            outside = KernelWorld()
        case .simulated:
            let network = SimulatedNetwork(seed: 1, limits: limits)
            loop = .simulated(network)
            self.network = network
            outside = SimulatedWorld(network)
        }
    }

    /// A token that no other operation has.
    mutating func newToken() -> OperationToken {
        lastToken += 1
        return OperationToken(operation: 1, generation: 1, slot: lastToken)
    }

    mutating func accept(_ listener: Int32) -> OperationToken {
        let token = newToken()
        loop.accept(listener, token)
        return token
    }

    mutating func receive(_ descriptor: Int32) -> OperationToken {
        let token = newToken()
        loop.receive(descriptor, token)
        return token
    }

    mutating func send(_ descriptor: Int32, _ bytes: PinnedBytes, from offset: Int = 0) -> OperationToken {
        let token = newToken()
        // Safe: tests keep the bytes until the completion.
        unsafe loop.send(descriptor, bytes.rest(from: offset), token)
        return token
    }

    mutating func connect(_ descriptor: Int32, _ address: SocketAddress) -> OperationToken {
        let token = newToken()
        loop.connect(descriptor, to: address, token)
        return token
    }

    // MARK: Waiting

    mutating func tick(timeoutNanoseconds: UInt64 = 2_000_000) throws {
        for index in 0..<(try loop.tick(timeoutNanoseconds: timeoutNanoseconds)) {
            let completion = loop.completion(index)
            // Safe: copied before the buffer is given back.
            let bytes = unsafe Array(loop.bytes(of: completion))
            if completion.buffer >= 0 { loop.giveBack(completion.buffer) }
            seen.append(
                Seen(token: completion.token, result: completion.result, bytes: bytes, more: completion.more))
        }
    }

    /// Ticks until the completion with that token comes, and takes it.
    mutating func next(_ token: OperationToken, _ location: SourceLocation = #_sourceLocation) throws -> Seen {
        for _ in 0..<Self.patienceTicks {
            if let index = seen.firstIndex(where: { $0.token == token }) { return seen.remove(at: index) }
            try tick()
        }
        return try #require(nil, "no completion came", sourceLocation: location)
    }

    /// Ticks until the condition holds of the outside world.
    mutating func until(_ location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool) throws {
        for _ in 0..<Self.patienceTicks {
            if try condition() { return }
            try tick()
        }
        try #require(Bool(false), "it never came about", sourceLocation: location)
    }

    /// Waits long for completions and returns them; empty if a few waits in a row ended without one.
    mutating func wait(timeoutNanoseconds: UInt64 = 30_000_000_000) throws -> [Seen] {
        // A signal of this process may cut a wait short.
        for _ in 0..<20 where seen.isEmpty { try tick(timeoutNanoseconds: timeoutNanoseconds) }
        return try drain(ticks: 0)
    }

    /// Ticks for a while and returns the completions: to show that there are none.
    mutating func drain(ticks: Int = 5) throws -> [Seen] {
        for _ in 0..<ticks { try tick() }
        defer { seen = [] }
        return seen
    }

    // MARK: Connections

    /// A connection that the loop accepted, and the peer that dialled it.
    mutating func accepted(isIPv6: Bool = false) throws -> (descriptor: Int32, peer: any OutsidePeer) {
        let (listener, address) = try outside.listen(isIPv6: isIPv6, backlog: 16)
        let token = accept(listener)
        let peer = try outside.dial(address)
        let descriptor = try next(token).result
        loop.cancel(listener, token)
        _ = try next(token)
        loop.close(listener)
        return (descriptor, peer)
    }

    /// A connection that the loop dialled, and the peer that accepted it.
    mutating func dialled(isIPv6: Bool = false) throws -> (descriptor: Int32, peer: any OutsidePeer) {
        let server = try outside.serve(isIPv6: isIPv6)
        let descriptor = loop.openSocket(for: server.address)
        let token = connect(descriptor, server.address)
        try #require(try next(token).result == 0)
        var peer: (any OutsidePeer)?
        try until {
            peer = server.take()
            return peer != nil
        }
        return (descriptor, try #require(peer))
    }

    private static let patienceTicks = 5000
}
