import Loopback
import PosternTesting
import Synchronization

/// Opens as many new connections as a pair can take, each with a full handshake, from a thread of its own.
final class HandshakeStorm {
    private let address: SocketAddress
    private let state = State()
    private var thread: BackgroundThread?

    init(address: SocketAddress) { self.address = address }

    /// More than any proxy accepts in one turn of its loop.
    private static let concurrency = 64

    private final class State: Sendable {
        let isOver = Atomic(false)
        let completed = Atomic(0)
        let fault = Monitor<String?>(nil)
    }

    func begin() {
        let address = address
        let state = state
        thread = BackgroundThread {
            do {
                var round = ConnectRound(address: address)
                for _ in 0..<Self.concurrency { try round.begin() }
                while !state.isOver.load(ordering: .relaxed) { try round.run(until: .within(.milliseconds(20))) }
                // A window may be shorter than a handshake on a busy machine.
                let patience = Deadline.within(.seconds(10))
                while round.completed == 0, !patience.hasPassed { try round.run(until: .within(.milliseconds(20))) }
                state.completed.store(round.completed, ordering: .relaxed)
            } catch {
                state.fault.update { $0 = "\(error)" }
            }
        }
    }

    /// Ends the storm; throws if no connection completed.
    func end() throws {
        state.isOver.store(true, ordering: .relaxed)
        thread?.join()
        if let fault = state.fault.read({ $0 }) { throw BenchFault.stormFailed(fault) }
        guard state.completed.load(ordering: .relaxed) > 0 else { throw BenchFault.nothingMoved("the storm") }
    }
}
