import Glibc
import Testing

@testable import EventLoop

/// A bug of the loop's owner traps, on the backend that tests run on.
@Suite("Bugs of the loop's owner")
struct TrapTests {
    /// How a failed precondition ends a process: not as a thrown error does.
    private static var trap: ExitTest.Condition {
        #if arch(x86_64)
            .signal(SIGILL)
        #else
            .signal(SIGTRAP)
        #endif
    }

    private static func rig() throws -> (rig: RigBox, descriptor: Int32, peer: any OutsidePeer) {
        let box = RigBox(try Rig(.simulated))
        let (descriptor, peer) = try box.rig.accepted()
        return (box, descriptor, peer)
    }

    private final class RigBox {
        var rig: Rig
        init(_ rig: consuming Rig) { self.rig = rig }
    }

    @Test("a close under an operation")
    func closeUnderOperation() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, _) = try Self.rig()
            _ = box.rig.receive(descriptor)
            box.rig.loop.close(descriptor)
        }
    }

    @Test("a second close")
    func secondClose() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, _) = try Self.rig()
            box.rig.loop.close(descriptor)
            box.rig.loop.close(descriptor)
        }
    }

    @Test("two receives at once on one descriptor")
    func twoReceives() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, _) = try Self.rig()
            _ = box.rig.receive(descriptor)
            _ = box.rig.receive(descriptor)
        }
    }

    @Test("bytes changed under a send")
    func changedBytes() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, _) = try Self.rig()
            let bytes = PinnedBytes(Array(repeating: 1, count: 100))
            _ = box.rig.send(descriptor, bytes)
            bytes.overwrite(57, 2)
            try box.rig.tick()
        }
    }

    @Test("FIN under a send")
    func shutdownUnderSend() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, _) = try Self.rig()
            _ = box.rig.send(descriptor, PinnedBytes([1]))
            box.rig.loop.shutdownWrite(descriptor)
        }
    }

    @Test("a lent buffer kept over a tick")
    func keptBuffer() async {
        await #expect(processExitsWith: Self.trap) {
            let (box, descriptor, peer) = try Self.rig()
            _ = peer.write([1])
            _ = box.rig.receive(descriptor)
            while try box.rig.loop.tick(timeoutNanoseconds: 1000) == 0 {}
            _ = try box.rig.loop.tick(timeoutNanoseconds: 1000)
        }
    }

    @Test("a buffer given back twice", arguments: BackendKind.allCases)
    func twiceGivenBack(kind: BackendKind) async {
        await #expect(processExitsWith: Self.trap) { [kind = kind.rawValue as String] in
            var rig = try Rig(try #require(BackendKind(rawValue: kind)))
            let (descriptor, peer) = try rig.accepted()
            _ = peer.write([1])
            _ = rig.receive(descriptor)
            while try rig.loop.tick(timeoutNanoseconds: 10_000_000) == 0 {}
            let buffer = rig.loop.completion(0).buffer
            // A clean exit, if this does not trap, fails the test.
            rig.loop.giveBack(buffer)
            rig.loop.giveBack(buffer)
        }
    }

    @Test("a descriptor that never was", arguments: [Int32(-1), 77])
    func unknownDescriptor(descriptor: Int32) async {
        await #expect(processExitsWith: Self.trap) { [descriptor = descriptor as Int32] in
            var loop = EventLoop.simulated(SimulatedNetwork(seed: 1))
            loop.close(descriptor)
        }
    }
}
