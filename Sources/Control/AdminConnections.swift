import CLibEvent
import Glibc
import System

/// The connections of the admin endpoint. Each has a deadline for its one request and their number is limited, so that
/// idle clients exhaust neither descriptors nor the endpoint. Belongs to the control thread.
///
/// evhttp restarts its timeout with each byte, has no connection limit (before 2.2), and does not report a close. Hence
/// a reference to each connection is held and checked at short intervals.
@safe
final class AdminConnections {
    private let base: EventBase
    /// In accept order.
    private var open: [AdminConnection] = []
    private var timer: OpaquePointer?
    /// Pauses or resumes accepting.
    var pause: (Bool) -> Void = { _ in }

    init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        unsafe timer = nil
        // Unretained: the timer is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            base.pointer, -1, 0,
            { _, _, context in unsafe Unmanaged<AdminConnections>.fromOpaque(context!).takeUnretainedValue().sweep() },
            context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe timer = made
    }

    deinit {
        // Freed before the base they belong to.
        open.removeAll()
        if let timer = unsafe timer { unsafe event_free(timer) }
    }

    /// A bufferevent for evhttp, which sets its descriptor next and frees it at close; nil without memory.
    func begin() -> OpaquePointer? {
        let options = Int32(bitPattern: UInt32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        guard let buffers = unsafe bufferevent_socket_new(base.pointer, -1, options) else { return nil }
        unsafe open.append(
            AdminConnection(buffers, acceptedAt: MonotonicClock.milliseconds(), milliseconds: Self.timeMilliseconds))
        // While a reply is blocked evhttp keeps reading, and nobody consumes the input.
        unsafe bufferevent_setwatermark(buffers, Int16(EV_READ), 0, Self.readBytesAtMost)
        if open.count == 1 { armTimer() }
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
        open.removeAll(where: \.isOver)
        let now = MonotonicClock.milliseconds()
        open.removeAll { connection in
            guard connection.deadline <= now else { return false }
            connection.cut()
            return true
        }
        // A client that has not sent its request after a while is the least likely to be honest.
        var silent = silentCount
        let kept = silent >= Self.most ? Self.most / 2 : Self.most
        while silent > kept, let index = open.firstIndex(where: { !$0.hasAsked }),
            open[index].acceptedAt + Self.fairMilliseconds <= now
        {
            open.remove(at: index).cut()
            silent -= 1
        }
        if silent < Self.most { pause(false) }
        if !open.isEmpty { armTimer() }
    }

    private func armTimer() {
        var delay = timeval(tv_sec: 0, tv_usec: Self.intervalMicroseconds)
        // libevent copies the delay.
        _ = unsafe event_add(timer, &delay)
    }

    private static let most = 64
    /// Deadline for one request and its response.
    private static let timeMilliseconds: Int64 = 5_000
    /// Minimum age before a connection may be closed to make room.
    private static let fairMilliseconds: Int64 = 100
    /// More than the header and body limits together.
    private static let readBytesAtMost = 16 * 1_024
    private static let intervalMicroseconds = 50_000
}

/// A connection that evhttp may already have closed.
@safe
private final class AdminConnection {
    /// Monotonic milliseconds.
    let acceptedAt: Int64
    var deadline: Int64
    /// Whether it waits for what it asked for.
    var hasAsked = false
    private let buffers: OpaquePointer

    init(_ buffers: OpaquePointer, acceptedAt: Int64, milliseconds: Int64) {
        // We hold a reference, so the pointer is valid until deinit.
        unsafe bufferevent_incref(buffers)
        unsafe self.buffers = buffers
        self.acceptedAt = acceptedAt
        deadline = acceptedAt + milliseconds
    }

    deinit { unsafe bufferevent_decref(buffers) }

    func isOf(_ buffers: OpaquePointer) -> Bool { unsafe self.buffers == buffers }

    /// Whether evhttp has released it: it then has no callbacks.
    var isOver: Bool {
        guard unsafe bufferevent_getfd(buffers) >= 0 else { return true }
        var event: bufferevent_event_cb?
        unsafe bufferevent_getcb(buffers, nil, nil, &event, nil)
        return unsafe event == nil
    }

    /// evhttp reads end of stream, and frees it.
    func cut() {
        let descriptor = unsafe bufferevent_getfd(buffers)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}
