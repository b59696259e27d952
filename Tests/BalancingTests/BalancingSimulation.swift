import Balancing
import PosternTesting
import Testing

/// A simulated route: connections come at random and stay for a while, endpoints come and go.
@Suite("Balancing, simulated")
struct BalancingSimulation {
    @Test(
        "a thousand endpoints, a tenth flapping: the spread is within a tenth of the best possible",
        arguments: [1, 2, 3] as [UInt64])
    func spread(seed: UInt64) {
        var world = World(seed: seed, endpoints: 1_000, flapping: 100)
        world.run(connections: 400_000)
        let sound = world.group.ids.filter { $0 >= 100 }.map { world.group.connections(of: $0) }
        let best = Double(world.openConnections - world.openOnFlapping) / Double(sound.count)
        #expect(best > 80, "too few connections to say anything")
        #expect(Double(sound.max() ?? 0) < best * 1.1, "\(sound.max() ?? 0) of \(best)")
        let few = sound.count { Double($0) < best * 0.9 }
        #expect(few < sound.count / 100, "\(few) have a tenth less, at least \(sound.min() ?? 0) of \(best)")
        // Those that are down cost a trial now and then, and no more.
        #expect(world.failures < world.dials / 100, "\(world.failures) of \(world.dials)")
        #expect(world.refused == 0)
    }

    @Test("the same seed gives the same run")
    func deterministic() {
        var one = World(seed: 7, endpoints: 50, flapping: 10)
        var other = World(seed: 7, endpoints: 50, flapping: 10)
        one.run(connections: 5_000)
        other.run(connections: 5_000)
        #expect(one.log == other.log && one.log.count > 5_000)
    }

    @Test("counts of connections are right after any order of events, and lists that change")
    func counts() {
        for seed in 0..<20 as Range<UInt64> {
            var world = World(seed: seed, endpoints: 8, flapping: 4, changes: true)
            world.run(connections: 3_000)
            world.endAll()
            #expect(world.openConnections == 0)
        }
    }
}

private struct World {
    var group: EndpointGroup
    var now: UInt64 = 1_000 * second
    var dials = 0
    var failures = 0
    /// Connections for which no endpoint was left.
    var refused = 0
    var log: [EndpointID] = []
    private var random: SeededGenerator
    private let flapping: Int
    private let changes: Bool
    /// By time of their end: endpoint and whether it fails.
    private var open: [(end: UInt64, id: EndpointID)] = []

    init(seed: UInt64, endpoints: Int, flapping: Int, changes: Bool = false) {
        random = SeededGenerator(seed: seed)
        self.flapping = flapping
        self.changes = changes
        group = EndpointGroup(BalancingPolicy())
        _ = group.list((0..<endpoints).map { _ in Member() }, BalancingPolicy(), now: now)
    }

    var openConnections: Int { group.ids.reduce(0) { $0 + group.connections(of: $1) } }
    var openOnFlapping: Int { group.ids.filter { $0 < flapping }.reduce(0) { $0 + group.connections(of: $1) } }

    /// A flapping endpoint is down for half a minute of each minute, at a moment of its own.
    private func isDown(_ id: EndpointID) -> Bool {
        id < flapping && (now / second + UInt64(id) * 7) % 60 < 30
    }

    mutating func run(connections: Int) {
        for number in 0..<connections {
            // Two thousand a second, which stay for a minute on average.
            now += UInt64.random(in: 0...1_000_000, using: &random)
            if number % 2_000 == 0 { endDue() }
            if changes, number % 97 == 0 { changeList() }
            dial()
        }
        endDue()
    }

    mutating func endAll() {
        for connection in open { group.ended(connection.id) }
        open = []
    }

    private mutating func dial() {
        var tried: [EndpointID] = []
        while tried.count < 3 {
            guard case .dial(let id) = group.choose(tried: tried, now: now, random: random.next()) else { break }
            dials += 1
            log.append(id)
            if isDown(id) {
                failures += 1
                _ = group.failed(id, now: now)
                tried.append(id)
            } else {
                group.connected(id, after: UInt64.random(in: 200_000...1_500_000, using: &random), now: now)
                _ = group.succeeded(id, now: now)
                open.append((now + UInt64.random(in: 1...120 * second, using: &random), id))
                return
            }
        }
        refused += 1
    }

    private mutating func endDue() {
        for connection in open where connection.end <= now { group.ended(connection.id) }
        open.removeAll { $0.end <= now }
    }

    private mutating func changeList() {
        let kept = group.ids.filter { _ in Bool.random(using: &random) }.map { Member(id: $0) }
        _ = group.list(
            kept + (0..<Int.random(in: 1...4, using: &random)).map { _ in Member() }, BalancingPolicy(), now: now)
    }
}
