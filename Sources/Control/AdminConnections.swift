import CLibEvent
import Glibc
import System

/// The connections of the admin endpoint: each has a time for its one request, and only so many are open, so that who
/// holds them open takes neither descriptors nor answers from others. Belongs to the control thread.
///
/// evhttp's own time-out begins anew with each byte, it has no limit for connections (before 2.2), and does not say
/// when one ends: a reference to each is held, and looked at in short intervals as long as there are any.
@safe
final class AdminConnections {
    private let base: EventBase
    /// In the order of their accepts.
    private var open: [AdminConnection] = []
    private var timer: OpaquePointer?
    /// Pauses accepting, or goes on with it.
    var pause: (Bool) -> Void = { _ in }

    init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        unsafe timer = nil
        // Unretained: the timer is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            base.pointer, -1, 0,
            { _, _, context in unsafe Unmanaged<AdminConnections>.fromOpaque(context!).takeUnretainedValue().look() },
            context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe timer = made
    }

    deinit {
        // Before the base, to which they belong.
        open.removeAll()
        if let timer = unsafe timer { unsafe event_free(timer) }
    }

    /// A buffered socket for evhttp, which gives it its descriptor next, and frees it at its end; nil for want of
    /// memory.
    func begin() -> OpaquePointer? {
        let options = Int32(bitPattern: UInt32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        guard let buffers = unsafe bufferevent_socket_new(base.pointer, -1, options) else { return nil }
        unsafe open.append(AdminConnection(buffers, deadline: MonotonicClock.milliseconds() + Self.timeMilliseconds))
        // While a reply is stuck evhttp reads on, and what it reads nobody looks at.
        unsafe bufferevent_setwatermark(buffers, Int16(EV_READ), 0, Self.readBytesAtMost)
        if open.count == 1 { armTimer() }
        if open.count >= Self.most { pause(true) }
        return unsafe buffers
    }

    private func look() {
        open.removeAll(where: \.isOver)
        let now = MonotonicClock.milliseconds()
        while let first = open.first, first.deadline <= now { open.removeFirst().cut() }
        // Whoever has had some time for a request and has not made it is the least likely to be an honest reader.
        let kept = open.count >= Self.most ? Self.most / 2 : Self.most
        while open.count > kept, let first = open.first,
            first.deadline - Self.timeMilliseconds + Self.fairMilliseconds <= now
        {
            open.removeFirst().cut()
        }
        if open.count < Self.most { pause(false) }
        if !open.isEmpty { armTimer() }
    }

    private func armTimer() {
        var delay = timeval(tv_sec: 0, tv_usec: Self.intervalMicroseconds)
        // libevent copies the delay.
        _ = unsafe event_add(timer, &delay)
    }

    private static let most = 64
    /// For one request and its answer.
    private static let timeMilliseconds: Int64 = 5_000
    /// What each has before it must make room for others.
    private static let fairMilliseconds: Int64 = 100
    /// More than the limits for headers and body together.
    private static let readBytesAtMost = 16 * 1_024
    private static let intervalMicroseconds = 50_000
}

/// A connection that evhttp may be done with.
@safe
private final class AdminConnection {
    let deadline: Int64
    private let buffers: OpaquePointer

    init(_ buffers: OpaquePointer, deadline: Int64) {
        // Our own reference: the pointer is good until deinit.
        unsafe bufferevent_incref(buffers)
        unsafe self.buffers = buffers
        self.deadline = deadline
    }

    deinit { unsafe bufferevent_decref(buffers) }

    /// evhttp has let go of it: it then has no callbacks.
    var isOver: Bool {
        guard unsafe bufferevent_getfd(buffers) >= 0 else { return true }
        var event: bufferevent_event_cb?
        unsafe bufferevent_getcb(buffers, nil, nil, &event, nil)
        return unsafe event == nil
    }

    /// evhttp finds the end of the stream, and frees it.
    func cut() {
        let descriptor = unsafe bufferevent_getfd(buffers)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}
