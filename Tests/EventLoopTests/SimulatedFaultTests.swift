import Glibc
import System
import Testing

@testable import EventLoop

@Suite("Faults of the simulated network")
struct SimulatedFaultTests {
    private static let here = SocketAddress(v4: 0x7F00_0001, port: 443)
    private static let there = SocketAddress(v4: 0x0A00_0001, port: 5000)

    private static func network(_ change: (inout SimulatedFaults) -> Void) -> SimulatedNetwork {
        var faults = SimulatedFaults.none
        change(&faults)
        return SimulatedNetwork(seed: 3, faults: faults)
    }

    private static func token(_ slot: UInt32) -> OperationToken {
        OperationToken(operation: 1, generation: 1, slot: slot)
    }

    /// Ticks until `count` completions have come, and gives buffers back.
    private static func completions(_ loop: inout EventLoop, _ count: Int) throws -> [Completion] {
        var all: [Completion] = []
        var ticks = 0
        while all.count < count {
            for index in 0..<(try loop.tick(timeoutNanoseconds: 1_000_000_000)) {
                let completion = loop.completion(index)
                if completion.buffer >= 0 { loop.giveBack(completion.buffer) }
                all.append(completion)
            }
            ticks += 1
            try #require(ticks < 10_000, "no completion came")
        }
        return all
    }

    /// A loop with one accepted connection.
    private static func connection(
        _ network: SimulatedNetwork
    ) throws -> (loop: SimulatedLoop, descriptor: Int32, peer: PeerSocket) {
        let loop = SimulatedLoop(network)
        let listener = network.listen(on: here)
        let peer = network.connectPeer(to: here, from: there)
        loop.value.accept(listener, token(1))
        let descriptor = try #require(try completions(&loop.value, 1).first).result
        loop.value.cancel(listener, token(1))
        _ = try completions(&loop.value, 1)
        loop.value.close(listener)
        return (loop, descriptor, peer)
    }

    /// Lets a noncopyable loop be returned beside other things.
    private final class SimulatedLoop {
        var value: EventLoop
        init(_ network: SimulatedNetwork) { value = .simulated(network) }
    }

    @Test("opening a socket fails")
    func noSocket() {
        let network = Self.network { $0.socketWithoutDescriptors = 1 }
        var loop = EventLoop.simulated(network)
        #expect(loop.openSocket(for: Self.there) == 0 - EMFILE)
        #expect(network.openDescriptors == 0)
    }

    @Test("a full descriptor table ends an accept, and the connection waits for the next one")
    func fullTable() throws {
        let network = Self.network { _ in }
        var loop = EventLoop.simulated(network)
        let listener = network.listen(on: Self.here)
        network.descriptorLimit = 1
        let peer = network.connectPeer(to: Self.here, from: Self.there)
        loop.accept(listener, Self.token(1))
        let refused = try Self.completions(&loop, 1)[0]
        #expect(refused.result == 0 - EMFILE && !refused.more)
        #expect(loop.openSocket(for: Self.there) == 0 - EMFILE)
        network.descriptorLimit = 2
        loop.accept(listener, Self.token(2))
        let accepted = try Self.completions(&loop, 1)[0]
        #expect(accepted.result >= 0 && accepted.more)
        #expect(loop.peerAddress(of: accepted.result) == Self.there)
        #expect(!peer.isRefused)
    }

    @Test("an accept ends although it accepted, and must be re-armed")
    func endedAccept() throws {
        let network = Self.network { $0.endedAccepts = 1 }
        var loop = EventLoop.simulated(network)
        let listener = network.listen(on: Self.here)
        _ = network.connectPeer(to: Self.here, from: Self.there)
        loop.accept(listener, Self.token(1))
        let accepted = try Self.completions(&loop, 1)[0]
        #expect(accepted.result >= 0 && !accepted.more)
        #expect(network.operationsInFlight == 0)
    }

    @Test("a receive finds no buffer")
    func noBuffer() throws {
        let network = Self.network { $0.receiveWithoutBuffers = 1 }
        let (loop, descriptor, peer) = try Self.connection(network)
        #expect(peer.write([1]) == 1)
        loop.value.receive(descriptor, Self.token(2))
        #expect(try Self.completions(&loop.value, 1)[0].errno == ENOBUFS)
    }

    @Test("reads and writes are short")
    func short() throws {
        let network = Self.network {
            $0.shortReads = 1
            $0.shortWrites = 1
        }
        let (loop, descriptor, peer) = try Self.connection(network)
        #expect(peer.write(Array(repeating: 1, count: 1000)) == 1000)
        var results: Set<Int32> = []
        let bytes = PinnedBytes(Array(repeating: 2, count: 1000))
        for slot in 10..<20 as Range<UInt32> {
            loop.value.receive(descriptor, Self.token(slot))
            results.insert(try Self.completions(&loop.value, 1)[0].result)
            // Safe: `bytes` lives to the end of the test.
            unsafe loop.value.send(descriptor, bytes.rest(), Self.token(slot))
            results.insert(try Self.completions(&loop.value, 1)[0].result)
        }
        #expect(results.count > 5)
        #expect(results.allSatisfy { (1...1000).contains($0) })
        withExtendedLifetime(bytes) {}
    }

    @Test("a connection breaks: both ends see it, and part of the bytes may be lost")
    func reset() throws {
        let network = Self.network {
            $0.resets = 1
            $0.lossyResets = 1
        }
        let (loop, descriptor, peer) = try Self.connection(network)
        #expect(peer.write(Array(repeating: 1, count: 1000)) == 1000)
        loop.value.receive(descriptor, Self.token(2))
        let first = try Self.completions(&loop.value, 1)[0].result
        #expect(first == 0 - ECONNRESET || (1...1000).contains(first))
        #expect(peer.wasReset)
        #expect(peer.write([1]) == 0)
    }

    @Test("a dial is refused, or hangs until it is cancelled", arguments: [false, true])
    func dials(hangs: Bool) throws {
        let network = Self.network {
            $0.refusedDials = hangs ? 0 : 1
            $0.hangingDials = hangs ? 1 : 0
        }
        var loop = EventLoop.simulated(network)
        let backend = network.backend(at: Self.there)
        let descriptor = loop.openSocket(for: Self.there)
        loop.connect(descriptor, to: Self.there, Self.token(1))
        if hangs {
            for _ in 0..<100 { #expect(try loop.tick(timeoutNanoseconds: 1_000_000_000) == 0) }
            loop.cancel(descriptor, Self.token(1))
        }
        #expect(try Self.completions(&loop, 1)[0].errno == (hangs ? ECANCELED : ECONNREFUSED))
        #expect(network.dials(to: Self.there) == 1)
        #expect(backend.waiting == 0)
        loop.close(descriptor)
        #expect(network.openDescriptors == 0)
    }

    @Test("a cancelled operation that could complete may complete instead")
    func lateCancel() throws {
        let network = Self.network { $0.lateCancels = 1 }
        let (loop, descriptor, peer) = try Self.connection(network)
        #expect(peer.write([1]) == 1)
        loop.value.receive(descriptor, Self.token(2))
        loop.value.cancel(descriptor, Self.token(2))
        #expect(try Self.completions(&loop.value, 1)[0].result == 1)
        #expect(try loop.value.tick(timeoutNanoseconds: 1) == 0)
    }

    @Test("completions come late and out of order")
    func disorder() throws {
        let network = Self.network {
            $0.reordered = 1
            $0.passedOver = 0.5
            $0.heldBack = 0.5
        }
        var loop = EventLoop.simulated(network)
        for slot in 0..<50 as Range<UInt32> {
            let backend = SocketAddress(v4: 0x0A00_0002, port: UInt16(slot + 1))
            _ = network.backend(at: backend)
            loop.connect(loop.openSocket(for: backend), to: backend, Self.token(slot))
        }
        let began = network.now
        let slots = try Self.completions(&loop, 50).map(\.token.slot)
        #expect(Set(slots).count == 50)
        #expect(slots != slots.sorted())
        #expect(network.now > began)
    }

    @Test("the clock jumps by the whole time-out, and the wall clock with it or not")
    func clock() throws {
        let network = Self.network { $0.clockJumps = 1 }
        var loop = EventLoop.simulated(network)
        let before = (loop.now, loop.wallClock)
        #expect(try loop.tick(timeoutNanoseconds: 3_600_000_000_000) == 0)
        #expect(loop.now - before.0 >= 3_600_000_000_000)
        #expect(abs(loop.wallClock - before.1 - 3_600_000_000_000) <= 61_000_000_000)
        network.advance(nanoseconds: 5)
        #expect(network.now == loop.now + 5)
    }

    @Test("without clock jumps time passes in steps, so that deadlines come one after the other")
    func steps() throws {
        let network = Self.network { _ in }
        var loop = EventLoop.simulated(network)
        let before = loop.now
        #expect(try loop.tick(timeoutNanoseconds: .max) == 0)
        #expect((1...20_000_000).contains(loop.now - before))
    }

    @Test("a tester's wake arrives as a wake")
    func wake() throws {
        let network = Self.network { _ in }
        var loop = EventLoop.simulated(network)
        network.wake()
        network.wake()
        #expect(try Self.completions(&loop, 1).map(\.token) == [.wake])
        #expect(try loop.tick(timeoutNanoseconds: 1) == 0)
    }

    @Test("a close with bytes unread is a reset, as on Linux")
    func closeUnread() throws {
        let network = Self.network { _ in }
        let (loop, descriptor, peer) = try Self.connection(network)
        #expect(peer.write([1]) == 1)
        loop.value.close(descriptor)
        #expect(peer.wasReset && !peer.isFinished)
    }

    @Test("a connection that was not accepted is reset when the listener closes, and none is accepted afterwards")
    func closedListener() {
        let network = Self.network { _ in }
        var loop = EventLoop.simulated(network)
        let listener = network.listen(on: Self.here)
        let peer = network.connectPeer(to: Self.here, from: Self.there)
        loop.close(listener)
        #expect(peer.wasReset)
        #expect(network.connectPeer(to: Self.here, from: Self.there).isRefused)
    }
}
