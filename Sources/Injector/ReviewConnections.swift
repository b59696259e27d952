import CLibEvent
import CLibEventOpenSSL
import Control
import Glibc
import System
import TLS

/// The webhook's connections: their number, the time of each and the memory of what they send are limited. Belongs to
/// the control thread.
///
/// evhttp restarts its timeout with each byte, and has no limit of connections.
@safe
final class ReviewConnections {
    private let base: EventBase
    private var open: [UInt: ReviewConnection] = [:]
    private var timer: OpaquePointer?
    /// Pauses or resumes accepting.
    var pause: (Bool) -> Void = { _ in }
    /// Closed by us before their end.
    private(set) var cutCount: UInt64 = 0
    private let memory = RequestMemory()

    init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        unsafe timer = nil
        // Unretained: the timer is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            base.pointer, -1, 0,
            { _, _, context in unsafe Unmanaged<ReviewConnections>.fromOpaque(context!).takeUnretainedValue().sweep() },
            context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe timer = made
        // What came is more than may be kept: the request that has been coming for longest is the least likely to be
        // honest.
        memory.exceeded = { [unowned self] in cutOldest { $0.clock.phase == .receiving } }
    }

    deinit {
        // Freed before the base they belong to.
        open.removeAll()
        if let timer = unsafe timer { unsafe event_free(timer) }
    }

    var count: Int { open.count }

    /// Those with a request that is not answered.
    var busyCount: Int { open.values.count { $0.clock.phase == .receiving || $0.clock.phase == .answering } }

    /// A bufferevent for evhttp, which sets its descriptor next and frees it at close; nil without memory.
    func begin(_ context: WebServerContext) -> OpaquePointer? {
        guard let session = unsafe context.makeSession() else { return nil }
        let options = Int32(bitPattern: UInt32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        // The bufferevent owns the session from here on, and frees it if it cannot be made.
        guard
            let buffers = unsafe bufferevent_openssl_socket_new(
                base.pointer, -1, session, BUFFEREVENT_SSL_ACCEPTING, options)
        else { return nil }
        unsafe bufferevent_openssl_set_allow_dirty_shutdown(buffers, 1)
        let connection = unsafe ReviewConnection(buffers, memory)
        unsafe open[ReviewConnection.key(buffers)] = connection
        if open.count == 1 { armTimer() }
        if open.count >= Self.most {
            cutOldest { $0.clock.phase == .handshake || !$0.clock.hasServed && $0.clock.phase != .answering }
            pause(true)
        }
        return unsafe buffers
    }

    subscript(buffers: OpaquePointer) -> ReviewConnection? { unsafe open[ReviewConnection.key(buffers)] }

    /// At the end of a drain.
    func cutIdle() {
        for connection in open.values where connection.clock.phase == .idle || connection.clock.phase == .handshake {
            connection.cut()
        }
    }

    private func cutOldest(where isMeant: (ReviewConnection) -> Bool) {
        let oldest = open.values.filter { !$0.isCut && isMeant($0) }.min { $0.clock.since < $1.clock.since }
        guard let oldest, oldest.clock.since + Self.fairMilliseconds <= MonotonicClock.milliseconds() else { return }
        oldest.cut()
        cutCount += 1
    }

    private func sweep() {
        let now = MonotonicClock.milliseconds()
        for (key, connection) in open {
            if connection.isOver {
                open[key] = nil
                continue
            }
            if connection.clock.phase == .handshake, connection.isEstablished { connection.clock.established(now: now) }
            guard connection.clock.deadline <= now, !connection.isCut else { continue }
            connection.cut()
            cutCount += 1
        }
        if open.count < Self.most {
            pause(false)
        } else {
            // Room for others: first who never asked for anything, then who has been idle for longest.
            cutOldest { $0.clock.phase != .answering && !$0.clock.hasServed }
            cutOldest { $0.clock.phase == .idle }
        }
        if !open.isEmpty { armTimer() }
    }

    private func armTimer() {
        var delay = timeval(tv_sec: 0, tv_usec: Self.intervalMicroseconds)
        // libevent copies the delay.
        _ = unsafe event_add(timer, &delay)
    }

    private static let most = 1_024
    /// Minimum age before a connection may be closed to make room.
    private static let fairMilliseconds: Int64 = 200
    private static let intervalMicroseconds = 50_000
}

/// The bytes of all requests that are here in part or not answered.
private final class RequestMemory {
    var bytes = 0
    var exceeded: () -> Void = {}

    func take(_ count: Int) {
        bytes += count
        if bytes > Self.bytesAtMost { exceeded() }
    }

    private static let bytesAtMost = 64 << 20
}

/// One connection, which evhttp may already have closed.
@safe
final class ReviewConnection {
    var clock: ConnectionClock
    private(set) var isCut = false
    private let memory: RequestMemory
    private let buffers: OpaquePointer
    private var callback: OpaquePointer?
    private var requestBytes = 0

    fileprivate init(_ buffers: OpaquePointer, _ memory: RequestMemory) {
        clock = ConnectionClock(acceptedAt: MonotonicClock.milliseconds())
        self.memory = memory
        // We hold a reference, so the pointer is valid until deinit.
        unsafe bufferevent_incref(buffers)
        unsafe self.buffers = buffers
        unsafe callback = nil
        // Unretained: the callback is removed in deinit.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe callback = evbuffer_add_cb(
            bufferevent_get_input(buffers),
            { _, change, context in
                let count = unsafe change!.pointee.n_added
                guard count > 0 else { return }
                unsafe Unmanaged<ReviewConnection>.fromOpaque(context!).takeUnretainedValue().received(count)
            }, context)
    }

    deinit {
        forgetRequest()
        if let callback = unsafe callback {
            unsafe evbuffer_remove_cb_entry(bufferevent_get_input(buffers), callback)
        }
        unsafe bufferevent_decref(buffers)
    }

    fileprivate static func key(_ buffers: OpaquePointer) -> UInt { UInt(bitPattern: buffers) }

    /// The client has taken the answer.
    func answered() {
        forgetRequest()
        clock.answered(now: MonotonicClock.milliseconds())
    }

    /// evhttp reads end of stream, and frees it; while a review is being answered, it is freed after that.
    func cut() {
        isCut = true
        let descriptor = unsafe bufferevent_getfd(buffers)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func received(_ count: Int) {
        clock.received(now: MonotonicClock.milliseconds())
        requestBytes += count
        memory.take(count)
        // Nobody consumes what comes while an answer is blocked; evhttp goes on reading, to see the end.
        if requestBytes > Self.requestBytesAtMost, !isCut { cut() }
    }

    /// What evhttp takes of one request, and some of the next.
    private static let requestBytesAtMost = ReviewServer.bodyLimitBytes + (1 << 20)

    private func forgetRequest() {
        memory.bytes -= requestBytes
        requestBytes = 0
    }

    fileprivate var isEstablished: Bool {
        guard let session = unsafe bufferevent_openssl_get_ssl(buffers) else { return false }
        return unsafe WebServerContext.isEstablished(session)
    }

    /// Whether evhttp has released it: it then has no callbacks.
    fileprivate var isOver: Bool {
        guard unsafe bufferevent_getfd(buffers) >= 0 else { return true }
        var event: bufferevent_event_cb?
        unsafe bufferevent_getcb(buffers, nil, nil, &event, nil)
        return unsafe event == nil
    }
}
