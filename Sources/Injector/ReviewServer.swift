import CLibEvent
import CLibEventOpenSSL
import Control
import Crypto
import Glibc
import Kubernetes
import System
import TLS

/// The webhook: HTTP/1.1 over TLS (libevent's evhttp and OpenSSL). Belongs to the control thread, which never waits for
/// a review: those are answered by the threads of a ``ReviewQueue``.
@safe
final class ReviewServer {
    /// For connections that are accepted from now on.
    var context: WebServerContext
    /// Whose certificates may send reviews, by common name; nil: anyone who is let in.
    var clients: Set<String>?
    var readiness: Readiness = .ready
    /// Has clients open no further request on a connection.
    var isEnding = false
    /// Called with each review that was answered, or refused.
    var report: (ReviewReport) -> Void = { _ in }
    /// The bound port; chosen by the kernel if port 0 was requested.
    let port: UInt16

    private let connections: ReviewConnections
    private let http: OpaquePointer
    private var listener: OpaquePointer?
    private let queue: ReviewQueue
    private var answers: EventWatch?
    /// By the number of the review.
    private var waiting: [UInt64: Waiting] = [:]
    private var lastNumber: UInt64 = 0

    /// A request that evhttp keeps until it is replied to, or until its connection is closed.
    @safe
    private struct Waiting {
        let request: OpaquePointer
        let connection: OpaquePointer
        /// Monotonic nanoseconds.
        let since: Int64
    }

    init(
        on loop: ControlLoop, _ socket: AdminSocket, context: WebServerContext, queue: ReviewQueue
    ) throws(ControlFault) {
        self.context = context
        self.queue = queue
        port = socket.port ?? 0
        let connections = try ReviewConnections(loop.base)
        self.connections = connections
        guard let http = unsafe evhttp_new(loop.base.pointer) else { throw .libevent(call: "evhttp_new") }
        guard let bound = unsafe evhttp_accept_socket_with_handle(http, socket.number) else {
            unsafe evhttp_free(http)
            throw .libevent(call: "evhttp_accept_socket")
        }
        unsafe self.http = http
        // Accepted sockets inherit it. An answer is several records: Nagle's algorithm would hold the last one back
        // until the client, 40 ms later, acknowledges the first.
        var yes: Int32 = 1
        // `yes` has the size passed, and outlives the call.
        _ = unsafe setsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        socket.handOver()  // `http` closes it when it is freed
        unsafe listener = evhttp_bound_socket_get_listener(bound)
        // Each setter takes a live server.
        unsafe evhttp_set_timeout(http, Self.timeoutSeconds)
        unsafe evhttp_set_max_headers_size(http, Self.headerLimitBytes)
        unsafe evhttp_set_max_body_size(http, Self.bodyLimitBytes)
        // All methods are passed on, so that a wrong one gets 405 and not evhttp's 501.
        unsafe evhttp_set_allowed_methods(http, UInt16.max)
        // Unretained: the callbacks are freed with `http` in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evhttp_set_gencb(
            http,
            { request, context in
                guard let request = unsafe request else { return }
                unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue().handle(request)
            }, context)
        unsafe evhttp_set_bevcb(
            http,
            { _, context in
                let server = unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue()
                return unsafe server.connections.begin(server.context)
            }, context)
        if let listener = unsafe listener { unsafe AdminServer.pauseWhenDescriptorsRunOut(listener) }
        connections.pause = { [unowned self] in pause($0) }
        answers = try EventWatch(loop.base, descriptor: queue.answersWake.number) { [unowned self] in takeAnswers() }
    }

    deinit { unsafe evhttp_free(http) }

    var connectionCount: Int { connections.count }
    var cutCount: UInt64 { connections.cutCount }
    /// Requests that are here in part or not answered.
    var busyCount: Int { connections.busyCount }

    /// Accepts no more, and closes what is idle.
    func close() {
        isEnding = true
        pause(true)
        // evhttp keeps the listener, because a timer of a pause may still name it.
        if let listener = unsafe listener { shutdown(unsafe evconnlistener_get_fd(listener), Int32(SHUT_RDWR)) }
        connections.cutIdle()
    }

    // MARK: Private

    private func pause(_ pauses: Bool) {
        guard let listener = unsafe listener else { return }
        // The listener belongs to the server.
        _ = unsafe pauses || isEnding ? evconnlistener_disable(listener) : evconnlistener_enable(listener)
    }

    private func handle(_ request: OpaquePointer) {
        // The request, its connection and headers live at least as long as this call.
        let connection = unsafe evhttp_request_get_connection(request)
        guard let connection = unsafe connection, let buffers = unsafe evhttp_connection_get_bufferevent(connection)
        else { return unsafe reply(to: request, ReviewReply(500, "no connection")) }
        let now = MonotonicClock.nanoseconds()
        unsafe connections[buffers]?.clock.asked(now: now / 1_000_000)
        let asked = unsafe read(request, buffers)
        switch asked.action(clients: clients) {
        case .live: unsafe reply(to: request, ReviewReply(200, "ok"))
        case .ready: unsafe reply(to: request, readiness.answer)
        case .refuse(let refusal):
            report(ReviewReport(outcome: .refused(refusal), nanoseconds: 0))
            unsafe reply(to: request, refusal)
        case .review(let timeout):
            lastNumber += 1
            waiting[lastNumber] = unsafe Waiting(request: request, connection: connection, since: now)
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            unsafe evhttp_connection_set_closecb(
                connection,
                { connection, context in
                    let server = unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue()
                    unsafe server.forget(connection)
                }, context)
            queue.submit(
                ReviewQueue.Review(
                    number: lastNumber, body: unsafe Self.body(of: request), dueBy: now + timeout * 1_000_000))
        }
    }

    /// The connection is closed, and its request is gone.
    private func forget(_ connection: OpaquePointer?) {
        guard let number = waiting.first(where: { unsafe $0.value.connection == connection })?.key else {
            return
        }
        waiting[number] = nil
    }

    private func takeAnswers() {
        for answer in queue.takeAnswers() {
            guard let waited = waiting.removeValue(forKey: answer.number) else { continue }
            let nanoseconds = max(0, MonotonicClock.nanoseconds() - waited.since)
            let request = unsafe waited.request
            switch answer.outcome {
            case .answered(let admission):
                unsafe reply(to: request, status: 200, type: "application/json", admission.body)
            case .malformed(let fault): unsafe reply(to: request, ReviewReply(400, fault.description))
            case .late: unsafe reply(to: request, ReviewReply(503, "the time for this review is over"))
            }
            report(ReviewReport(outcome: .review(answer.outcome), nanoseconds: nanoseconds))
        }
    }

    private func reply(to request: OpaquePointer, _ refusal: ReviewReply) {
        // evhttp owns the request until the reply, and copies headers.
        if let allow = refusal.allow {
            unsafe evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allow)
        }
        unsafe reply(
            to: request, status: refusal.status, type: "text/plain; charset=utf-8", Array((refusal.text + "\n").utf8))
    }

    private func reply(to request: OpaquePointer, status: Int32, type: String, _ body: [UInt8]) {
        // As above; the body is copied too.
        let headers = unsafe evhttp_request_get_output_headers(request)
        unsafe evhttp_add_header(headers, "Content-Type", type)
        unsafe evhttp_add_header(headers, "Cache-Control", "no-store")
        if isEnding { unsafe evhttp_add_header(headers, "Connection", "close") }
        if unsafe evhttp_request_get_command(request) != EVHTTP_REQ_HEAD {
            unsafe evbuffer_add(evhttp_request_get_output_buffer(request), body, body.count)
        } else {
            unsafe evhttp_add_header(headers, "Content-Length", String(body.count))
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evhttp_request_set_on_complete_cb(
            request,
            { request, context in
                let server = unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue()
                unsafe server.completed(request)
            }, context)
        unsafe evhttp_send_reply(request, status, nil, nil)
    }

    private func completed(_ request: OpaquePointer?) {
        guard let request = unsafe request, let connection = unsafe evhttp_request_get_connection(request),
            let buffers = unsafe evhttp_connection_get_bufferevent(connection)
        else { return }
        unsafe connections[buffers]?.answered()
    }

    private func read(_ request: OpaquePointer, _ buffers: OpaquePointer) -> ReviewRequest {
        let method: ReviewRequest.Method =
            switch unsafe evhttp_request_get_command(request) {
            case EVHTTP_REQ_GET: .get
            case EVHTTP_REQ_HEAD: .head
            case EVHTTP_REQ_POST: .post
            default: .other
            }
        // The URI belongs to the request, and what is read of it to the URI.
        let uri = unsafe evhttp_request_get_evhttp_uri(request)
        let path = unsafe uri.flatMap { unsafe evhttp_uri_get_path($0) }.map { unsafe String(cString: $0) }
        let query = unsafe uri.flatMap { unsafe evhttp_uri_get_query($0) }.map { unsafe String(cString: $0) }
        let type = unsafe evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type")
        var client: String?
        if clients != nil, let session = unsafe bufferevent_openssl_get_ssl(buffers) {
            client = unsafe WebServerContext.clientCertificate(of: session)?.commonName
        }
        return ReviewRequest(
            method: method, path: path ?? "", query: query ?? "",
            contentType: unsafe type.map { unsafe String(cString: $0) },
            client: client)
    }

    private static func body(of request: OpaquePointer) -> [UInt8] {
        guard let buffer = unsafe evhttp_request_get_input_buffer(request) else { return [] }
        let length = unsafe evbuffer_get_length(buffer)
        // Copies at most as much as there is room for.
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { room, count in
            count = unsafe max(0, Int(evbuffer_remove(buffer, room.baseAddress, length)))
        }
    }

    /// As long as a connection may be idle; ``ConnectionClock`` has the limits for the rest.
    private static let timeoutSeconds = Int32(ConnectionClock.idleMilliseconds / 1_000)
    private static let headerLimitBytes = 16 * 1_024
    /// A request to Kubernetes has 3 MiB at most, and a review the object before and after it.
    static let bodyLimitBytes = 8 << 20
}

/// A review that was answered, or a request that was refused.
struct ReviewReport {
    enum Outcome {
        case review(ReviewQueue.Outcome)
        case refused(ReviewReply)
    }

    let outcome: Outcome
    let nanoseconds: Int64
}

extension Readiness {
    fileprivate var answer: ReviewReply {
        switch self {
        case .ready: ReviewReply(200, "ready")
        case .notReady(let reason): ReviewReply(503, "not ready: \(reason)")
        }
    }
}
