import Glibc
import Testing

@testable import EventLoop

/// A minimal server: bytes are sent back, FIN is answered with FIN. It counts what it leaves behind.
struct Echo: ~Copyable {
    private struct Connection {
        var pending: [PinnedBytes] = []
        var sent = 0
        var receiving = false
        var sending = false
        var finished = false
        var failed = false
    }

    private enum Operation: UInt8 {
        case accept, receive, send
    }

    private(set) var loop: EventLoop
    private let listener: Int32
    private var connections: [Int32: Connection] = [:]
    private var accepting = true

    init(_ loop: consuming EventLoop, listener: Int32) {
        self.loop = loop
        self.listener = listener
        self.loop.accept(listener, Self.token(.accept, listener))
    }

    var connectionCount: Int { connections.count }

    mutating func tick(timeoutNanoseconds: UInt64 = 1_000_000_000) throws {
        for index in 0..<(try loop.tick(timeoutNanoseconds: timeoutNanoseconds)) {
            let completion = loop.completion(index)
            let descriptor = Int32(completion.token.slot)
            switch try #require(Operation(rawValue: completion.token.operation)) {
            case .accept: accepted(completion)
            case .receive: received(completion, descriptor)
            case .send: sent(completion, descriptor)
            }
        }
    }

    /// Ends everything; the network's counts must be zero afterwards.
    mutating func stop() throws {
        loop.cancel(listener, Self.token(.accept, listener))
        accepting = false
        for (descriptor, connection) in connections.sorted(by: { $0.key < $1.key }) {
            connections[descriptor]?.failed = true
            if connection.receiving { loop.cancel(descriptor, Self.token(.receive, descriptor)) }
            if connection.sending { loop.cancel(descriptor, Self.token(.send, descriptor)) }
            closeIfDone(descriptor)
        }
        var ticks = 0
        while !connections.isEmpty || ticks < 20 {
            try tick(timeoutNanoseconds: 1_000_000)
            ticks += 1
            try #require(ticks < 10_000, "an operation never completed")
        }
        loop.close(listener)
    }

    private mutating func accepted(_ completion: Completion) {
        if completion.result >= 0 {
            guard accepting else { return loop.close(completion.result, reset: true) }
            connections[completion.result] = Connection(receiving: true)
            loop.receive(completion.result, Self.token(.receive, completion.result))
        }
        if !completion.more && accepting { loop.accept(listener, Self.token(.accept, listener)) }
    }

    private mutating func received(_ completion: Completion, _ descriptor: Int32) {
        var connection = connections[descriptor]!
        connection.receiving = false
        if completion.result > 0 {
            // Safe: the buffer is given back afterwards.
            let bytes = unsafe PinnedBytes(Array(loop.bytes(of: completion)))
            loop.giveBack(completion.buffer)
            connection.pending.append(bytes)
        } else if completion.result == 0 {
            connection.finished = true
        } else if completion.errno != ENOBUFS {
            connection.failed = true
        }
        connections[descriptor] = connection
        proceed(descriptor)
    }

    private mutating func sent(_ completion: Completion, _ descriptor: Int32) {
        connections[descriptor]!.sending = false
        if completion.result > 0 {
            connections[descriptor]!.sent += Int(completion.result)
            let connection = connections[descriptor]!
            if connection.sent == connection.pending[0].count {
                connections[descriptor]!.pending.removeFirst()
                connections[descriptor]!.sent = 0
            }
        } else {
            connections[descriptor]!.failed = true
        }
        proceed(descriptor)
    }

    private mutating func proceed(_ descriptor: Int32) {
        let connection = connections[descriptor]!
        guard !connection.failed else {
            if connection.receiving { loop.cancel(descriptor, Self.token(.receive, descriptor)) }
            if connection.sending { loop.cancel(descriptor, Self.token(.send, descriptor)) }
            return closeIfDone(descriptor)
        }
        if !connection.sending, let first = connection.pending.first {
            connections[descriptor]!.sending = true
            // Safe: the connection keeps the bytes until the completion.
            unsafe loop.send(descriptor, first.rest(from: connection.sent), Self.token(.send, descriptor))
        }
        if !connection.receiving, !connection.finished, connection.pending.count < 4 {
            connections[descriptor]!.receiving = true
            loop.receive(descriptor, Self.token(.receive, descriptor))
        }
        closeIfDone(descriptor)
    }

    private mutating func closeIfDone(_ descriptor: Int32) {
        let connection = connections[descriptor]!
        guard !connection.receiving, !connection.sending else { return }
        guard connection.failed || (connection.finished && connection.pending.isEmpty) else { return }
        connections[descriptor] = nil
        loop.close(descriptor, reset: connection.failed)
    }

    private static func token(_ operation: Operation, _ descriptor: Int32) -> OperationToken {
        OperationToken(operation: operation.rawValue, generation: 1, slot: UInt32(descriptor))
    }
}
