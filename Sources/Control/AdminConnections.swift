import CLibEvent
import Glibc
import System

/// The connections of the admin endpoint. Each has a deadline for its one request and their number is limited, so that
/// idle clients exhaust neither descriptors nor the endpoint. Belongs to the control thread.
///
/// evhttp restarts its timeout with each byte, has no connection limit (before 2.2), and does not report a close. Hence
/// each connection is held and looked at after short intervals.
@safe
final class AdminConnections {
    private let base: EventBase
    /// In accept order.
    private var open: [AdminConnection] = []
    private let timer: SweepTimer
    /// Pauses or resumes accepting.
    var pause: (Bool) -> Void = { _ in }

    init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        timer = try SweepTimer(base)
        timer.sweep = { [unowned self] in sweep() }
    }

    /// A bufferevent for evhttp, which sets its descriptor next and frees it at close; nil without memory.
    func begin() -> OpaquePointer? {
        let options = Int32(bitPattern: UInt32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        guard let buffers = unsafe bufferevent_socket_new(base.pointer, -1, options) else { return nil }
        unsafe open.append(
            AdminConnection(buffers, acceptedAt: MonotonicClock.milliseconds(), milliseconds: Self.timeMilliseconds))
        // While a reply is blocked evhttp keeps reading, and nobody consumes the input.
        unsafe bufferevent_setwatermark(buffers, Int16(EV_READ), 0, Self.readBytesAtMost)
        if open.count == 1 { timer.arm() }
        if silentCount >= Self.most { pause(true) }
        return unsafe buffers
    }

    /// Gives a connection more time, from now on, to wait for what it asked for.
    func extend(_ buffers: OpaquePointer, milliseconds: Int) {
        guard let connection = open.first(where: { unsafe $0.isOf(buffers) }) else { return }
        connection.deadline = max(connection.deadline, MonotonicClock.milliseconds() + Int64(milliseconds))
        connection.hasAsked = true
    }

    /// Those that wait for a probe's outcome are limited by ``HealthChecks``.
    private var silentCount: Int { open.count { !$0.hasAsked } }

    private func sweep() {
        open.removeAll(where: \.held.isOver)
        let now = MonotonicClock.milliseconds()
        open.removeAll { connection in
            guard connection.deadline <= now else { return false }
            connection.held.cut()
            return true
        }
        // A client that has not sent its request after a while is the least likely to be honest.
        var silent = silentCount
        let kept = silent >= Self.most ? Self.most / 2 : Self.most
        while silent > kept, let index = open.firstIndex(where: { !$0.hasAsked }),
            open[index].acceptedAt + Self.fairMilliseconds <= now
        {
            open.remove(at: index).held.cut()
            silent -= 1
        }
        if silent < Self.most { pause(false) }
        if !open.isEmpty { timer.arm() }
    }

    private static let most = 64
    /// Deadline for one request and its response.
    private static let timeMilliseconds: Int64 = 5_000
    /// Minimum age before a connection may be closed to make room.
    private static let fairMilliseconds: Int64 = 100
    /// More than the header and body limits together.
    private static let readBytesAtMost = 16 * 1_024
}

@safe
private final class AdminConnection {
    let held: HeldConnection
    /// Monotonic milliseconds.
    let acceptedAt: Int64
    var deadline: Int64
    /// Whether it waits for what it asked for.
    var hasAsked = false

    init(_ buffers: OpaquePointer, acceptedAt: Int64, milliseconds: Int64) {
        held = unsafe HeldConnection(buffers)
        self.acceptedAt = acceptedAt
        deadline = acceptedAt + milliseconds
    }

    func isOf(_ buffers: OpaquePointer) -> Bool { unsafe held.buffers == buffers }
}
