import Glibc
import PosternTesting
import Synchronization
import System
import Testing

@testable import EventLoop

@Suite("An echo over the kernel")
struct KernelEchoTests {
    /// What the clients' threads found wrong.
    private final class Findings: Sendable {
        let wrong = Mutex<[String]>([])
        let running = Atomic(0)
    }

    /// Writes and reads at random, in pieces of random size; closes in order, by RST or by just leaving.
    private static func converse(_ address: SocketAddress, seed: UInt64, _ findings: Findings) {
        var random = SimulatedRandom(seed: seed)
        for _ in 0..<5 {
            let peer = KernelPeer(Sockets.open(for: SocketAddress(v4: 0x7f00_0001, port: 0), nonBlocking: true))
            guard (try? peer.connect(to: address)) != nil else { continue }
            let total = random.below(random.chance(0.2) ? 400_000 : 4000)
            let leavesAt = random.chance(0.3) ? random.below(total + 1) : Int.max
            let pattern = UInt8(truncatingIfNeeded: random.next())
            var written = 0
            var read = 0
            var idle = 0
            while !peer.isFinished, !peer.wasReset, read < leavesAt, idle < 20_000 {
                let before = written + read
                let chunk = min(total - written, 1 + random.below(20_000))
                if chunk > 0, random.chance(0.5) {
                    written += peer.write((written..<written + chunk).map { UInt8(truncatingIfNeeded: $0) ^ pattern })
                    if written == total { peer.shutdownWrite() }
                } else if total == 0 {
                    peer.shutdownWrite()
                }
                let echoed = peer.read(1 + random.below(20_000))
                for byte in echoed {
                    if byte != UInt8(truncatingIfNeeded: read) ^ pattern {
                        findings.wrong.withLock { $0.append("a wrong byte, seed \(seed)") }
                    }
                    read += 1
                }
                idle = written + read == before ? idle + 1 : 0
                if idle > 0 { usleep(100) }
            }
            if peer.isFinished, read != total {
                findings.wrong.withLock { $0.append("\(read) of \(total) bytes, seed \(seed)") }
            }
            if idle == 20_000 { findings.wrong.withLock { $0.append("stuck, seed \(seed)") } }
            if random.chance(0.5) { peer.reset() }
        }
    }

    @Test("random clients get their own bytes back, and nothing is left behind", arguments: Rig.kernelKinds)
    func echo(kind: BackendKind) throws {
        var limits = LoopLimits()
        limits.receiveBuffers = 4
        limits.receiveBufferBytes = 4096
        let world = KernelWorld()
        let (listener, address) = try world.listen(isIPv6: false, backlog: 64)
        var echo = Echo(kind == .epoll ? try .epoll(limits) : try .ioURing(limits), listener: listener)
        let findings = Findings()
        let threads = (0..<6).map { index in
            findings.running.add(1, ordering: .relaxed)
            return BackgroundThread {
                Self.converse(address, seed: UInt64(index), findings)
                findings.running.subtract(1, ordering: .relaxed)
            }
        }
        while findings.running.load(ordering: .relaxed) > 0 { try echo.tick(timeoutNanoseconds: 10_000_000) }
        for thread in threads { thread.join() }
        for _ in 0..<100 where echo.connectionCount > 0 { try echo.tick(timeoutNanoseconds: 10_000_000) }
        #expect(echo.connectionCount == 0)
        #expect(findings.wrong.withLock { $0 } == [])
        try echo.stop()
    }
}
