import EventLoop
import Testing

@testable import DataPlane

/// Accepts on such a queue are for one connection each.
@Suite("A queue that others accept from too")
struct SharedQueueTests {
    @Test("a drain ends although clients go on connecting", arguments: [AcceptQueue.ofWorkers, .inherited])
    func drain(queue: AcceptQueue) throws {
        for seed in 0..<20 as Range<UInt64> {
            let isCalm = seed % 2 == 0
            let world = try SimulatedWorld(
                seed: seed, faults: isCalm ? .none : .all, limits: "{drainDelay: 0s}",
                servers: ["127.0.0.1:19001"], queue: queue)
            var clients: [PeerSocket] = []
            var turns = 0
            let isOver = try world.turn {
                for address in [SimulatedWorld.inbound, SimulatedWorld.outbound, SimulatedWorld.echo] {
                    clients.append(world.network.connectPeer(to: address, from: world.from(clients.count)))
                }
                // They stay for ten turns.
                for client in clients.dropLast(30).suffix(3) { client.close() }
                turns += 1
                if turns == 20 { world.worker.drain() }
                if turns == 30 { world.worker.stopOutbound() }
                return world.worker.isFinished
            }
            #expect(isOver && turns > 30, "seed \(seed)")
            guard isCalm else { continue }
            #expect(world.worker.acceptedConnections > 60, "seed \(seed)")
            // Of the inherited queue another process may serve the rest.
            let connected = clients.count { !$0.isRefused }
            #expect(queue == .inherited || world.worker.acceptedConnections == connected, "seed \(seed)")
        }
    }
}
