import CLibEvent
import DataPlane
import EventLoop
import Glibc
package import Policy
import Settings
import System
package import Telemetry

/// Answers HTTP on the control thread (libevent's evhttp). Retained by its loop.
@safe
public final class AdminServer {
    /// The response to `/readyz`.
    public var readiness: Readiness
    /// The response to `/metrics`.
    package var metrics: (inout PrometheusText) -> Void = { _ in }
    /// What follows in the response to `/readyz?verbose`.
    var details: () -> String = { "" }
    /// Whether changes may be asked for over TCP too.
    var allowsChanges = false
    /// Performs a change.
    var change: (AdminChange) -> Void = { _ in }
    /// The probes of the application, if there are any.
    var health: HealthChecks?
    /// The bound port; chosen by the kernel if port 0 was requested. Nil without TCP.
    public let port: UInt16?

    private let base: EventBase
    private let connections: AdminConnections
    private let http: OpaquePointer
    /// Of the Unix socket.
    private var file: UnixSocketFile?
    private let listeners: AdminListeners

    /// Serves requests once the loop runs.
    package convenience init(
        on loop: ControlLoop, address: IPAddress, port: UInt16, readiness: Readiness
    ) throws(ControlFault) {
        try self.init(on: loop, [AdminSocket(Endpoint(address: address, port: port))], readiness: readiness)
    }

    init(on loop: ControlLoop, _ sockets: [AdminSocket], readiness: Readiness) throws(ControlFault) {
        self.readiness = readiness
        base = loop.base
        let connections = try AdminConnections(base)
        self.connections = connections
        guard let http = unsafe evhttp_new(base.pointer) else { throw .libevent(call: "evhttp_new") }
        let listeners = AdminListeners()
        self.listeners = listeners
        for socket in sockets {
            guard unsafe listeners.add(socket, to: http) else {
                unsafe evhttp_free(http)
                throw .libevent(call: "evhttp_accept_socket")
            }
        }
        port = sockets.compactMap(\.port).first
        file = sockets.compactMap(\.file).first
        unsafe self.http = http
        unsafe HTTPExchange.limit(
            http, timeoutSeconds: Self.timeoutSeconds, headerBytes: Self.headerLimitBytes,
            bodyBytes: Self.bodyLimitBytes)
        // Unretained: the callback is freed with `http` in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evhttp_set_gencb(
            http,
            { request, context in
                guard let request = unsafe request else { return }
                let server = unsafe Unmanaged<AdminServer>.fromOpaque(context!).takeUnretainedValue()
                unsafe server.handle(HTTPExchange(request))
            }, context)
        unsafe evhttp_set_bevcb(
            http,
            { _, context in
                unsafe Unmanaged<AdminConnections>.fromOpaque(context!).takeUnretainedValue().begin()
            }, unsafe Unmanaged.passUnretained(connections).toOpaque())
        connections.pause = { listeners.pause($0) }
        loop.keep(self)
    }

    deinit { unsafe evhttp_free(http) }

    /// Removes the file of the Unix socket.
    func removeFiles() { file?.remove() }

    /// Makes the Unix socket anew if its file is no longer there; false if it is.
    func renewSocket(_ settings: AdminSocketSettings) throws(ControlFault) -> Bool {
        guard let file, !file.isInPlace else { return false }
        let socket = try AdminSocket(settings)
        // The old one stays open, where nobody finds it: a timer of its listener may be due.
        guard unsafe listeners.add(socket, to: http) else { throw .libevent(call: "evhttp_accept_socket") }
        self.file = socket.file
        return true
    }

    private func handle(_ exchange: HTTPExchange) {
        let asked = Self.read(exchange)
        switch asked.action(allowsChanges: allowsChanges, hasHealth: health != nil) {
        case .live: reply(to: exchange, TextAnswer(200, "ok"))
        case .ready(let isVerbose): reply(to: exchange, TextAnswer(readiness, details: isVerbose ? details() : ""))
        case .metrics:
            let format = PrometheusText.Format(accepting: exchange.header("Accept"))
            var text = PrometheusText(format)
            metrics(&text)
            exchange.reply(200, type: format.contentType, Array(text.whole.utf8), closes: true)
        case .health(let path): check(path, for: exchange)
        case .change(let change):
            self.change(change)
            reply(to: exchange, TextAnswer(200, change == .drain ? "draining" : "ending"))
        case .refuse(let answer): reply(to: exchange, answer)
        }
    }

    /// Replies when the probe has ended: until then evhttp keeps the request, and reads nothing from its connection.
    private func check(_ path: String, for exchange: HTTPExchange) {
        guard let health, let patience = health.timeoutMilliseconds(path) else {
            return reply(to: exchange, TextAnswer(404, "not found: there is no such probe"))
        }
        // The connection and its descriptor live as long as the request is not replied to.
        guard let buffers = unsafe exchange.connection?.buffers else {
            return reply(to: exchange, TextAnswer(500, "no connection"))
        }
        unsafe connections.extend(buffers, milliseconds: patience + Self.probeSlackMilliseconds)
        let local = unsafe SocketAddress(.local, of: bufferevent_getfd(buffers))
        let userAgent = exchange.header("User-Agent").flatMap { $0.isHeaderValue ? $0 : nil }
        health.check(path, host: local.flatMap(\.hostText) ?? "localhost", userAgent: userAgent) { [weak self] in
            // Without the server, its requests are gone too.
            self?.reply(to: exchange, TextAnswer($0))
        }
    }

    /// One request per connection: its deadline runs from accept.
    private func reply(to exchange: HTTPExchange, _ answer: TextAnswer) { exchange.reply(answer, closes: true) }

    private static func read(_ exchange: HTTPExchange) -> AdminRequest {
        // The connection lives at least as long as this call.
        let descriptor = unsafe exchange.connection.map { unsafe bufferevent_getfd($0.buffers) }
        let local = descriptor.flatMap { SocketAddress(.local, of: $0) }
        return AdminRequest(
            method: exchange.method, path: exchange.path, query: exchange.query, isOverSocket: local?.isUnix ?? false,
            hasOrigin: exchange.header("Origin") != nil)
    }

    /// With no descriptor left, a connection stays in the backlog and the listener stays readable: without a pause the
    /// loop would spin.
    package static func pauseWhenDescriptorsRunOut(_ listener: OpaquePointer) {
        unsafe evconnlistener_set_error_cb(listener) { listener, _ in
            var pause = timeval(tv_sec: 1, tv_usec: 0)
            unsafe evconnlistener_disable(listener)
            // The listener outlives the timer: the loop keeps the server, and nobody runs the base after the loop.
            unsafe event_base_once(
                evconnlistener_get_base(listener), -1, Int16(EV_TIMEOUT),
                { _, _, listener in unsafe evconnlistener_enable(OpaquePointer(listener)) },
                UnsafeMutableRawPointer(listener), &pause)
        }
    }

    private static let timeoutSeconds: Int32 = 5
    /// For the reply, once a probe has ended.
    private static let probeSlackMilliseconds = 2_000
    private static let headerLimitBytes = 8 * 1_024
    private static let bodyLimitBytes = 1_024
}

extension SocketAddress {
    /// As it stands in `Host`; nil for a Unix socket.
    fileprivate var hostText: String? {
        guard !isUnix else { return nil }
        var plain = self
        // A socket on [::] takes IPv4 as well.
        if case (0, let low)? = v6, low >> 32 == 0xFFFF {
            plain = SocketAddress(v4: UInt32(low & 0xFFFF_FFFF), port: port)
        }
        return plain.text.lastIndex(of: ":").map { String(plain.text[..<$0]) }
    }
}

extension String {
    /// Whether it may be passed on in a header of ours.
    fileprivate var isHeaderValue: Bool { utf8.count <= 256 && utf8.allSatisfy { (0x20...0x7E).contains($0) } }
}
