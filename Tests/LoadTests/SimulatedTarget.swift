import EventLoop
import System
import Testing

@testable import Load

/// A generator in a simulated network, and the target that it loads.
final class SimulatedTarget {
    enum Behaviour: Sendable {
        case echoes
        /// Accepts, reads, and says nothing.
        case stalls
        /// Leaves what comes where it is.
        case holds
        /// Reads and sends unasked.
        case sources
        /// Echoes, but for what it does to the byte at this position of each connection.
        case changes(at: Int)
        case drops(at: Int)
        case doubles(at: Int)
        /// Resets each connection once it has read so many bytes.
        case resets(after: Int)
        case finishes(after: Int)
    }

    private final class Peer {
        let socket: PeerSocket
        var waiting: [UInt8] = []
        var read = 0
        var isDone = false

        init(_ socket: PeerSocket) { self.socket = socket }
    }

    static let address = SocketAddress(v4: 0x7F00_0001, port: 19_000)

    let network: SimulatedNetwork
    var generator: Generator
    var behaviour: Behaviour
    private(set) var dialled = 0
    private(set) var marks: [Generator.Mark] = []
    private var peers: [Peer] = []
    private let preludeBytes: Int

    init(
        _ kind: LoadPlan.Kind, _ behaviour: Behaviour, seed: UInt64 = 1, faults: SimulatedFaults = .none,
        change: (inout LoadPlan) -> Void = { _ in }
    ) throws {
        var limits = LoopLimits()
        limits.receiveBuffers = 4
        limits.receiveBufferBytes = 4096
        network = SimulatedNetwork(seed: seed, faults: faults, limits: limits)
        _ = network.backend(at: Self.address)
        var plan = LoadPlan(kind: kind, target: LoadTarget(text: "127.0.0.1:19000", address: Self.address))
        plan.warmupNanoseconds = 20_000_000
        plan.durationNanoseconds = 200_000_000
        plan.timeoutNanoseconds = 1_000_000_000
        change(&plan)
        preludeBytes = plan.prelude.count
        self.behaviour = behaviour
        generator = try Generator(plan, loop: .simulated(network), clock: { 0 })
    }

    /// Runs to the end, in simulated time.
    func run(until stop: (SimulatedTarget) -> Bool = { _ in false }) throws -> LoadResult {
        var turns = 0
        while !generator.isOver {
            try turn()
            if stop(self) { generator.endEarly() }
            turns += 1
            try #require(turns < 200_000, "the run does not end")
        }
        marks = generator.marks
        return generator.result()
    }

    /// Nothing is left behind.
    func expectClean(_ location: SourceLocation = #_sourceLocation) {
        #expect(network.openDescriptors == 0, sourceLocation: location)
        #expect(network.operationsInFlight == 0, sourceLocation: location)
        #expect(network.lentBuffers == 0, sourceLocation: location)
        #expect(generator.live == 0 && generator.busy == 0, sourceLocation: location)
    }

    private func turn() throws {
        try generator.step()
        // A loop that always finds something ready would stand still in time.
        network.advance(nanoseconds: 100_000)
        while let socket = network.backend(at: Self.address).takeConnection() {
            dialled += 1
            peers.append(Peer(socket))
        }
        for peer in peers { serve(peer) }
        peers.removeAll { $0.isDone }
    }

    private func serve(_ peer: Peer) {
        if case .holds = behaviour { return }
        // One that has not sent what it has takes no more.
        var bytes = peer.waiting.isEmpty ? peer.socket.read(16_384) : []
        let before = peer.read
        peer.read += bytes.count
        if before < preludeBytes { bytes.removeFirst(min(bytes.count, preludeBytes - before)) }
        let first = max(0, before - preludeBytes)
        switch behaviour {
        case .echoes: peer.waiting += bytes
        case .stalls, .holds: break
        case .sources: if peer.waiting.isEmpty { peer.waiting = [UInt8](repeating: 7, count: 4096) }
        case .changes(let position):
            if (first..<first + bytes.count).contains(position) { bytes[position - first] ^= 1 }
            peer.waiting += bytes
        case .drops(let position):
            if (first..<first + bytes.count).contains(position) { bytes.remove(at: position - first) }
            peer.waiting += bytes
        case .doubles(let position):
            if (first..<first + bytes.count).contains(position) {
                bytes.insert(bytes[position - first], at: position - first)
            }
            peer.waiting += bytes
        case .resets(let limit):
            peer.waiting += bytes
            if peer.read >= limit { peer.socket.reset() }
        case .finishes(let limit):
            peer.waiting += bytes
            if peer.read >= limit { peer.socket.close() }
        }
        if !peer.waiting.isEmpty { peer.waiting.removeFirst(min(peer.waiting.count, peer.socket.write(peer.waiting))) }
        guard peer.socket.isFinished || peer.socket.wasReset else { return }
        peer.socket.close()
        peer.isDone = true
    }
}

extension LoadResult {
    func count(_ kind: String) -> UInt64 { errors.entries.first { $0.kind == kind }?.count ?? 0 }
}
