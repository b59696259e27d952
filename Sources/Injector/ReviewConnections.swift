import CLibEvent
import CLibEventOpenSSL
import Control
import Crypto
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
    private let timer: SweepTimer
    /// Pauses or resumes accepting.
    var pause: (Bool) -> Void = { _ in }
    /// Closed by us before their end.
    private(set) var cutCount: UInt64 = 0
    private let memory = RequestMemory()

    init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        timer = try SweepTimer(base)
        timer.sweep = { [unowned self] in sweep() }
        // What came is more than may be kept: the request that has been coming for longest is the least likely to be
        // honest.
        memory.exceeded = { [unowned self] in cutOldest { $0.clock.phase == .receiving } }
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
        if open.count == 1 { timer.arm() }
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
            if connection.held.isOver {
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
        if !open.isEmpty { timer.arm() }
    }

    private static let most = 1_024
    /// Minimum age before a connection may be closed to make room.
    private static let fairMilliseconds: Int64 = 200
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

/// One connection, its times and what it sends.
@safe
final class ReviewConnection {
    var clock: ConnectionClock
    private(set) var isCut = false
    private let memory: RequestMemory
    fileprivate let held: HeldConnection
    private var callback: OpaquePointer?
    private var requestBytes = 0

    fileprivate init(_ buffers: OpaquePointer, _ memory: RequestMemory) {
        clock = ConnectionClock(acceptedAt: MonotonicClock.milliseconds())
        self.memory = memory
        held = unsafe HeldConnection(buffers)
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
            unsafe evbuffer_remove_cb_entry(bufferevent_get_input(held.buffers), callback)
        }
    }

    fileprivate static func key(_ buffers: OpaquePointer) -> UInt { UInt(bitPattern: buffers) }

    /// The client has taken the answer.
    func answered() {
        forgetRequest()
        clock.answered(now: MonotonicClock.milliseconds())
    }

    func cut() {
        isCut = true
        held.cut()
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

    /// Nil without one.
    var clientCertificate: Certificate? {
        // The session lives as long as the bufferevent, which is held.
        guard let session = unsafe bufferevent_openssl_get_ssl(held.buffers) else { return nil }
        return unsafe WebServerContext.clientCertificate(of: session)
    }

    fileprivate var isEstablished: Bool {
        guard let session = unsafe bufferevent_openssl_get_ssl(held.buffers) else { return false }
        return unsafe WebServerContext.isEstablished(session)
    }
}
