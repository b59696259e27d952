import Glibc
import System
import Testing

@testable import EventLoop

@Suite("Connects of Unix sockets whose queue is full")
struct StalledConnectsTests {
    private static let one = SocketAddress(unix: "/one")
    private static let other = SocketAddress(unix: "/other")

    /// What each listener has room for.
    private final class Room {
        var places: [SocketAddress: Int] = [:]
        var attempts = 0

        func attempt(_ connect: StalledConnects.Connect) -> Int32 {
            attempts += 1
            guard places[connect.address, default: 0] > 0 else { return 0 - EAGAIN }
            places[connect.address]! -= 1
            return 0
        }
    }

    @Test("are tried in the order in which they came, each listener's on its own, and nobody overtakes")
    func order() {
        var stalled = StalledConnects()
        let room = Room()
        for (number, address) in [Self.one, Self.one, Self.other].enumerated() {
            #expect(stalled.begin(connect(number, address), now: 0, attempt: room.attempt) == nil)
        }
        room.places = [Self.one: 1]
        // There is room, which is not for the one that comes last.
        #expect(stalled.begin(connect(3, Self.one), now: 1_000, attempt: room.attempt) == nil)
        #expect(numbers(&stalled, now: 5_000_000, room) == [0])
        room.places = [Self.one: 5, Self.other: 5]
        #expect(Set(numbers(&stalled, now: 10_000_000, room)) == [1, 2, 3] && stalled.isEmpty)
        #expect(stalled.begin(connect(4, Self.one), now: 0, attempt: room.attempt) == 0)
    }

    @Test("are tried once in a while, and one of each listener that has no room")
    func pause() {
        var stalled = StalledConnects()
        let room = Room()
        for number in 0..<100 {
            #expect(stalled.begin(connect(number, Self.one), now: 0, attempt: room.attempt) == nil)
        }
        #expect(room.attempts == 1)
        for now in stride(from: 0 as UInt64, to: 50_000_000, by: 1_000) {
            #expect(stalled.wait(now: now) <= 5_000_000)
            _ = numbers(&stalled, now: now, room)
        }
        #expect(room.attempts == 10)
    }

    @Test("end with what else the kernel says, and are forgotten once they are cancelled")
    func ends() {
        var stalled = StalledConnects()
        for number in 0..<3 {
            #expect(stalled.begin(connect(number, Self.one), now: 0) { _ in 0 - EAGAIN } == nil)
        }
        #expect(stalled.remove(connect(1, Self.one).token)?.descriptor == 1)
        #expect(stalled.remove(connect(1, Self.one).token) == nil)
        let ended = stalled.retry(now: 5_000_000) { _ in 0 - ECONNREFUSED }
        #expect(ended.map(\.connect.descriptor) == [0, 2] && ended.allSatisfy { $0.result == 0 - ECONNREFUSED })
        #expect(stalled.isEmpty && stalled.wait(now: 5_000_000) == .max)
    }

    private func connect(_ number: Int, _ address: SocketAddress) -> StalledConnects.Connect {
        StalledConnects.Connect(
            descriptor: Int32(number), address: address,
            token: OperationToken(operation: 1, generation: 0, slot: UInt32(number)))
    }

    private func numbers(_ stalled: inout StalledConnects, now: UInt64, _ room: Room) -> [Int32] {
        stalled.retry(now: now, attempt: room.attempt).map(\.connect.descriptor)
    }
}
