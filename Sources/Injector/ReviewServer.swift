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
        let exchange: HTTPExchange
        /// evhttp's.
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
        unsafe HTTPExchange.limit(
            http, timeoutSeconds: Self.timeoutSeconds, headerBytes: Self.headerLimitBytes,
            bodyBytes: Self.bodyLimitBytes)
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
        let exchange = unsafe HTTPExchange(request)
        // Without memory for a TLS session evhttp makes a connection of its own, in plaintext.
        guard let connection = unsafe exchange.connection, let known = unsafe connections[connection.buffers] else {
            return exchange.reply(TextAnswer(503, "no memory for TLS"), closes: true)
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evhttp_request_set_on_complete_cb(
            request,
            { request, context in
                guard let request = unsafe request else { return }
                let server = unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue()
                unsafe server.completed(HTTPExchange(request))
            }, context)
        let now = MonotonicClock.nanoseconds()
        known.clock.asked(now: now / 1_000_000)
        switch read(exchange, known).action(clients: clients) {
        case .live: exchange.reply(TextAnswer(200, "ok"), closes: isEnding)
        case .ready: exchange.reply(TextAnswer(readiness), closes: isEnding)
        case .refuse(let refusal):
            report(ReviewReport(outcome: .refused(refusal), nanoseconds: 0))
            exchange.reply(refusal, closes: isEnding)
        case .review(let timeout):
            lastNumber += 1
            waiting[lastNumber] = unsafe Waiting(exchange: exchange, connection: connection.http, since: now)
            unsafe evhttp_connection_set_closecb(
                connection.http,
                { connection, context in
                    let server = unsafe Unmanaged<ReviewServer>.fromOpaque(context!).takeUnretainedValue()
                    unsafe server.forget(connection)
                }, context)
            queue.submit(
                ReviewQueue.Review(
                    number: lastNumber, body: exchange.takeBody(), dueBy: now + timeout * 1_000_000))
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
            switch answer.outcome {
            case .answered(let admission):
                waited.exchange.reply(200, type: "application/json", admission.body, closes: isEnding)
            case .malformed(let fault):
                waited.exchange.reply(TextAnswer(400, fault.description), closes: isEnding)
            case .late:
                waited.exchange.reply(TextAnswer(503, "the time for this review is over"), closes: isEnding)
            }
            report(ReviewReport(outcome: .review(answer.outcome), nanoseconds: nanoseconds))
        }
    }

    private func completed(_ exchange: HTTPExchange) {
        guard let buffers = unsafe exchange.connection?.buffers else { return }
        unsafe connections[buffers]?.answered()
    }

    private func read(_ exchange: HTTPExchange, _ connection: ReviewConnection) -> ReviewRequest {
        ReviewRequest(
            method: exchange.method, path: exchange.path, query: exchange.query,
            contentType: exchange.header("Content-Type"),
            client: clients == nil ? nil : connection.clientCertificate?.commonName)
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
        case refused(TextAnswer)
    }

    let outcome: Outcome
    let nanoseconds: Int64
}
