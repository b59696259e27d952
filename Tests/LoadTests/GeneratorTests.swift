import EventLoop
import Telemetry
import Testing

@testable import Load

/// The generator in simulated networks.
@Suite("Generator")
struct GeneratorTests {
    @Test("a closed loop of echoes counts what came back, and every byte of it", arguments: [1, 1_000, 200_000])
    func closedLoop(messageBytes: Int) throws {
        let target = try SimulatedTarget(.echo, .echoes) {
            $0.connections = 3
            $0.messageBytes = messageBytes
        }
        let result = try target.run()
        #expect(result.failure == nil)
        #expect(result.requests > 10)
        #expect(result.connected == 3)
        #expect(result.latency?.count == result.requests)
        #expect(result.windowNanoseconds >= 200_000_000)
        #expect(target.dialled == 3)
        target.expectClean()
    }

    @Test("an open loop begins what is due, and no more", arguments: [50, 1_000, 20_000] as [UInt64])
    func openLoop(rate: UInt64) throws {
        let target = try SimulatedTarget(.echo, .echoes) {
            $0.connections = 4
            $0.messageBytes = 100
            $0.ratePerSecond = rate
        }
        let result = try target.run()
        #expect(result.failure == nil)
        let due = rate / 5
        #expect((due - due / 20 - 1...due + due / 20 + 1).contains(result.requestsInWindow + result.unsent))
        target.expectClean()
    }

    @Test("a target that never answers ends with the duration, and the latencies tell how long was waited")
    func stalled() throws {
        let target = try SimulatedTarget(.echo, .stalls) {
            $0.connections = 2
            $0.ratePerSecond = 1_000
        }
        let result = try target.run()
        #expect(result.requests == 0)
        #expect(result.unanswered == 2 && result.count("unanswered") == 2)
        // 20 ms of warm-up and 200 ms, at one a millisecond, but for the two that were begun.
        #expect((217...221).contains(result.unsent))
        let latency = try #require(result.latency)
        #expect(latency.maximum >= 440_000_000)
        #expect((80_000_000...150_000_000).contains(latency.p50))
        #expect(result.failure?.contains("unanswered") == true)
        target.expectClean()
    }

    @Test("a target that stalls for a while shows in the latencies of all that fell due meanwhile")
    func pause() throws {
        let target = try SimulatedTarget(.echo, .echoes) {
            $0.ratePerSecond = 1_000
            $0.durationNanoseconds = 1_000_000_000
        }
        let start = target.network.now
        let result = try target.run { target in
            let elapsed = target.network.now - start
            target.behaviour = (300_000_000..<600_000_000).contains(elapsed) ? .holds : .echoes
            return false
        }
        #expect(result.failure == nil)
        #expect(result.unsent <= 2)
        let latency = try #require(result.latency)
        // 300 of 1,000 waited for 150 ms on average.
        #expect(latency.maximum > 280_000_000)
        #expect(latency.p90 > 150_000_000 && latency.p50 < 20_000_000)
        target.expectClean()
    }

    @Test(
        "a byte that is changed, lost or doubled is an error",
        arguments: [.changes(at: 5_000), .drops(at: 777), .doubles(at: 777)] as [SimulatedTarget.Behaviour])
    func corruption(behaviour: SimulatedTarget.Behaviour) throws {
        let target = try SimulatedTarget(.echo, behaviour) { $0.messageBytes = 1_000 }
        let result = try target.run()
        #expect(result.count("corrupted") + result.count("unexpected-bytes") > 0, "\(result.errors)")
        target.expectClean()
    }

    @Test("bulk moves bytes in the direction that was asked for", arguments: LoadPlan.Direction.allCases)
    func bulk(direction: LoadPlan.Direction) throws {
        let behaviours: [LoadPlan.Direction: SimulatedTarget.Behaviour] = [
            .up: .stalls, .down: .sources, .both: .echoes,
        ]
        let target = try SimulatedTarget(.bulk(direction), try #require(behaviours[direction])) {
            $0.connections = 2
            $0.durationNanoseconds = 50_000_000
        }
        let result = try target.run()
        #expect(result.failure == nil)
        #expect((result.bytesUp > 100_000) == (direction != .down))
        #expect((result.bytesDown > 100_000) == (direction != .up))
        target.expectClean()
    }

    @Test("bulk of both directions notices a changed byte")
    func bulkCorruption() throws {
        let target = try SimulatedTarget(.bulk(.both), .changes(at: 100_000)) { $0.durationNanoseconds = 50_000_000 }
        #expect(try target.run().count("corrupted") > 0)
        target.expectClean()
    }

    @Test("connect opens and closes, with an echo or without, at a rate or not", arguments: [0, 1, 5_000], [nil, 200])
    func connect(messageBytes: Int, rate: UInt64?) throws {
        let target = try SimulatedTarget(.connect, .echoes) {
            $0.connections = 5
            $0.messageBytes = messageBytes
            $0.ratePerSecond = rate
            $0.prelude = [0x45]
        }
        let result = try target.run()
        #expect(result.failure == nil)
        #expect(result.requests >= (rate == nil ? 100 : 38))
        #expect(UInt64(target.dialled) >= result.requests)
        #expect(result.latency?.count == result.requests)
        target.expectClean()
    }

    @Test("a prelude goes first on every connection and is neither counted nor expected back")
    func prelude() throws {
        let target = try SimulatedTarget(.echo, .echoes) {
            $0.prelude = Array("hello".utf8)
            $0.connections = 2
        }
        let result = try target.run()
        #expect(result.failure == nil && result.requests > 10)
        target.expectClean()
    }

    @Test("idle connections stay established, and nothing is sent")
    func idle() throws {
        let target = try SimulatedTarget(.idle, .echoes) { $0.connections = 200 }
        let result = try target.run()
        #expect(result.failure == nil)
        #expect(result.connected == 200 && result.bytesUp == 0)
        #expect(target.marks.first == .idle(connections: 200))
        target.expectClean()
    }

    @Test("a target that refuses ends the run at once", arguments: [.echo, .connect, .bulk(.up)] as [LoadPlan.Kind])
    func refused(kind: LoadPlan.Kind) throws {
        let target = try SimulatedTarget(kind, .echoes) { $0.connections = 3 }
        target.network.backend(at: SimulatedTarget.address).behaviour = .refuses
        let start = target.network.now
        let result = try target.run()
        #expect(result.count("connect-refused") == 3)
        #expect(target.network.now - start < 150_000_000)
        target.expectClean()
    }

    @Test("a target that does not answer the dial is a time-out")
    func hanging() throws {
        let target = try SimulatedTarget(.echo, .echoes)
        target.network.backend(at: SimulatedTarget.address).behaviour = .hangs
        #expect(try target.run().count("connect-timeout") == 1)
        target.expectClean()
    }

    @Test(
        "a target that drops connections costs errors, and the run goes on over new ones",
        arguments: [.resets(after: 3_000), .finishes(after: 3_000)] as [SimulatedTarget.Behaviour])
    func dropped(behaviour: SimulatedTarget.Behaviour) throws {
        let target = try SimulatedTarget(.echo, behaviour) {
            $0.messageBytes = 1_000
            $0.durationNanoseconds = 1_000_000_000
        }
        let result = try target.run()
        #expect(result.errors.total >= 3, "\(result.errors)")
        #expect(result.requests >= 4)
        #expect(target.dialled >= 3)
        target.expectClean()
    }

    @Test("a run that is ended early has a result of what was measured")
    func early() throws {
        let target = try SimulatedTarget(.echo, .echoes) { $0.durationNanoseconds = 60_000_000_000 }
        let result = try target.run { $0.network.now > 1_500_000_000 }
        #expect(result.failure == nil)
        #expect(result.requests > 10 && result.windowNanoseconds < 1_000_000_000)
        target.expectClean()
    }

    @Test(
        "no fault of the network makes a byte wrong or leaves anything behind", arguments: 1...15 as ClosedRange<UInt64>
    )
    func faults(seed: UInt64) throws {
        let kinds: [LoadPlan.Kind] = [.echo, .connect, .bulk(.both), .bulk(.up), .idle]
        var faults = SimulatedFaults.all
        if seed.isMultiple(of: 3) { faults.resets = 0 }
        let target = try SimulatedTarget(kinds[Int(seed) % kinds.count], .echoes, seed: seed, faults: faults) {
            $0.connections = Int(seed % 7) + 1
            $0.messageBytes = Int(seed * 997 % 20_000) + 1
            $0.ratePerSecond = seed.isMultiple(of: 2) && kinds[Int(seed) % kinds.count].name != "bulk" ? 500 : nil
        }
        let result = try target.run()
        #expect(result.count("corrupted") == 0 && result.count("unexpected-bytes") == 0, "\(result.errors)")
        target.expectClean()
    }
}
