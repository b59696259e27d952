import EventLoop
import Glibc

/// Signals the loop and ticks until it reports the signal: the minimum work of a tick.
final class KernelWakes: Workload {
    private var loop: EventLoop

    init(_ loop: consuming EventLoop) {
        self.loop = loop
    }

    func run(_ operations: Int) throws {
        guard let wake = loop.wake else { throw MicroBenchFault.wrongAnswer("an event loop without a wake-up") }
        for _ in 0..<operations {
            wake.signal()
            while try !loop.tickBringsWake() {}
        }
    }
}

/// The same in a simulated network.
final class SimulatedWakes: Workload {
    private let network: SimulatedNetwork
    private var loop: EventLoop

    init() {
        network = SimulatedNetwork(seed: 1)
        loop = .simulated(network)
    }

    func run(_ operations: Int) throws {
        for _ in 0..<operations {
            network.wake()
            while try !loop.tickBringsWake() {}
        }
    }
}

extension EventLoop {
    fileprivate mutating func tickBringsWake() throws(EventLoopFault) -> Bool {
        for index in 0..<(try tick(timeoutNanoseconds: 1_000_000_000)) where completion(index).token == .wake {
            return true
        }
        return false
    }
}

/// Sends a byte to the other end of a socket pair and back: two sends, two receives.
final class ByteRoundTrips: Workload {
    private var loop: EventLoop
    private let near: Int32
    private let far: Int32
    private let message = ByteBlock(capacityBytes: 1)

    init(_ loop: consuming EventLoop) throws {
        self.loop = loop
        var ends: (Int32, Int32) = (-1, -1)
        // Safe: the call fills two consecutive Int32.
        let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe socketpair(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0,
                bytes.baseAddress!.assumingMemoryBound(to: Int32.self))
        }
        guard result == 0 else { throw MicroBenchFault.systemCall("socketpair", errno: errno) }
        (near, far) = ends
        message.append { $0.append(UInt8(1)) }
        for end in [near, far] { self.loop.receive(end, Self.receiving(end)) }
    }

    func run(_ operations: Int) throws {
        for _ in 0..<operations {
            send(from: near)
            try awaitByte(at: far)
            send(from: far)
            try awaitByte(at: near)
        }
    }

    private func send(from end: Int32) {
        // Safe: the block lives longer than the loop's sends, which end with this object's last round trip.
        let message = message
        unsafe message.bytes.withUnsafeBytes { unsafe loop.send(end, $0, Self.sending) }
    }

    private func awaitByte(at end: Int32) throws {
        var isHere = false
        while !isHere {
            for index in 0..<(try loop.tick(timeoutNanoseconds: 1_000_000_000)) {
                let completion = loop.completion(index)
                guard completion.result == 1 else {
                    throw MicroBenchFault.systemCall("a completion", errno: completion.errno)
                }
                guard completion.token == Self.receiving(end) else { continue }
                loop.giveBack(completion.buffer)
                loop.receive(end, completion.token)
                isHere = true
            }
        }
    }

    private static func receiving(_ end: Int32) -> OperationToken {
        OperationToken(operation: 1, generation: 0, slot: UInt32(end))
    }

    private static var sending: OperationToken { OperationToken(operation: 2, generation: 0, slot: 0) }
}
