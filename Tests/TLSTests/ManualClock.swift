import Synchronization
import System

/// A clock that tests move.
final class ManualClock: Sendable {
    private let seconds = Atomic<Int64>(WallClock.seconds())

    var now: Int64 { seconds.load(ordering: .relaxed) }
    var read: @Sendable () -> Int64 { { self.now } }

    func advance(bySeconds count: Int64) { seconds.add(count, ordering: .relaxed) }
}
