import CLibEvent
import Glibc
public import Policy
import Settings

/// Answers `/livez`, `/readyz` and `/metrics` over HTTP on the control thread (libevent's evhttp). Retained by its
/// loop.
@safe
public final class AdminServer {
    /// The response to `/readyz`.
    public var readiness: Readiness
    /// The response to `/metrics`.
    var metrics: () -> String = { "" }
    /// What follows in the response to `/readyz?verbose`.
    var details: () -> String = { "" }
    /// The bound port; chosen by the kernel if port 0 was requested.
    public let port: UInt16

    private let base: EventBase
    private let connections: AdminConnections
    private let http: OpaquePointer

    /// Binds; serves requests once the loop runs.
    public init(
        on loop: ControlLoop, address: IPAddress, port: UInt16, readiness: Readiness
    ) throws(ControlFault) {
        self.readiness = readiness
        base = loop.base
        connections = try AdminConnections(base)
        let socket = try AdminSocket(Endpoint(address: address, port: port))
        self.port = socket.port
        guard let http = unsafe evhttp_new(base.pointer) else { throw .libevent(call: "evhttp_new") }
        guard let bound = unsafe evhttp_accept_socket_with_handle(http, socket.number) else {
            unsafe evhttp_free(http)
            throw .libevent(call: "evhttp_accept_socket")
        }
        socket.handOver()  // `http` closes it when it is freed
        unsafe self.http = http
        // Each setter takes a live server.
        unsafe evhttp_set_timeout(http, Self.timeoutSeconds)
        unsafe evhttp_set_max_headers_size(http, Self.headerLimitBytes)
        unsafe evhttp_set_max_body_size(http, Self.bodyLimitBytes)
        // All methods are passed on, so that a wrong one gets 405 and not evhttp's 501.
        unsafe evhttp_set_allowed_methods(http, UInt16.max)
        // Unretained: the callback is freed with `http` in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evhttp_set_gencb(
            http,
            { request, context in
                guard let request = unsafe request else { return }
                let server = unsafe Unmanaged<AdminServer>.fromOpaque(context!).takeUnretainedValue()
                unsafe server.answer(request)
            }, context)
        unsafe evhttp_set_bevcb(
            http,
            { _, context in
                unsafe Unmanaged<AdminConnections>.fromOpaque(context!).takeUnretainedValue().begin()
            }, unsafe Unmanaged.passUnretained(connections).toOpaque())
        let listener = unsafe evhttp_bound_socket_get_listener(bound)
        connections.pause = { pauses in
            // The listener belongs to the server, which owns these connections.
            _ = unsafe pauses ? evconnlistener_disable(listener) : evconnlistener_enable(listener)
        }
        if let listener = unsafe listener { unsafe Self.pauseWhenDescriptorsRunOut(listener) }
        loop.keep(self)
    }

    deinit { unsafe evhttp_free(http) }

    private func answer(_ request: OpaquePointer) {
        let answer = unsafe Self.answer(
            method: evhttp_request_get_command(request), path: Self.path(of: request), readiness: readiness,
            metrics: metrics, details: Self.query(of: request) == "verbose" ? details : { "" })
        // evhttp owns the request until the reply below; it copies headers and body.
        let headers = unsafe evhttp_request_get_output_headers(request)
        unsafe evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8")
        unsafe evhttp_add_header(headers, "Cache-Control", "no-store")
        // One request per connection: its deadline runs from accept.
        unsafe evhttp_add_header(headers, "Connection", "close")
        if answer.status == 405 { unsafe evhttp_add_header(headers, "Allow", "GET, HEAD") }
        let body = Array((answer.text + "\n").utf8)
        if unsafe evhttp_request_get_command(request) != EVHTTP_REQ_HEAD {
            unsafe evbuffer_add(evhttp_request_get_output_buffer(request), body, body.count)
        } else {
            unsafe evhttp_add_header(headers, "Content-Length", String(body.count))
        }
        unsafe evhttp_send_reply(request, answer.status, nil, nil)
    }

    private static func answer(
        method: evhttp_cmd_type, path: String, readiness: Readiness, metrics: () -> String, details: () -> String
    ) -> (status: Int32, text: String) {
        guard ["/livez", "/readyz", "/metrics"].contains(path) else {
            return (404, "not found: try /livez, /readyz or /metrics")
        }
        guard method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD else { return (405, "only GET and HEAD") }
        if path == "/livez" { return (200, "ok") }
        if path == "/metrics" { return (200, String(metrics().dropLast())) }
        let details = details()
        let more = details.isEmpty ? "" : "\n\(details)"
        switch readiness {
        case .ready: return (200, "ready\(more)")
        case .notReady(let reason): return (503, "not ready: \(reason)\(more)")
        }
    }

    private static func query(of request: OpaquePointer) -> String {
        // As below.
        guard let uri = unsafe evhttp_request_get_evhttp_uri(request), let text = unsafe evhttp_uri_get_query(uri)
        else { return "" }
        return unsafe String(cString: text)
    }

    private static func path(of request: OpaquePointer) -> String {
        // The URI belongs to the request, the path to the URI: both live as long as the caller's request.
        guard let uri = unsafe evhttp_request_get_evhttp_uri(request), let path = unsafe evhttp_uri_get_path(uri) else {
            return ""
        }
        return unsafe String(cString: path)
    }

    /// With no descriptor left, a connection stays in the backlog and the listener stays readable: without a pause the
    /// loop would spin.
    private static func pauseWhenDescriptorsRunOut(_ listener: OpaquePointer) {
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
    private static let headerLimitBytes = 8 * 1_024
    private static let bodyLimitBytes = 1_024
}
