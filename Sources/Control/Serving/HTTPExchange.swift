import CLibEvent

/// The method of a request.
package enum HTTPMethod: Sendable { case get, head, post, other }

/// A request, which evhttp keeps until it is replied to or its connection is closed. Belongs to the control thread.
@safe
package struct HTTPExchange {
    private let request: OpaquePointer

    /// The request must not be used once it was replied to, or its connection is closed.
    package init(_ request: OpaquePointer) { unsafe self.request = request }

    package var method: HTTPMethod {
        switch unsafe evhttp_request_get_command(request) {
        case EVHTTP_REQ_GET: .get
        case EVHTTP_REQ_HEAD: .head
        case EVHTTP_REQ_POST: .post
        default: .other
        }
    }

    package var path: String {
        // The path belongs to the URI, and that to the request.
        guard let uri = unsafe evhttp_request_get_evhttp_uri(request), let path = unsafe evhttp_uri_get_path(uri) else {
            return ""
        }
        return unsafe String(cString: path)
    }

    package var query: String {
        // As above.
        guard let uri = unsafe evhttp_request_get_evhttp_uri(request), let text = unsafe evhttp_uri_get_query(uri)
        else { return "" }
        return unsafe String(cString: text)
    }

    package func header(_ name: String) -> String? {
        // The value belongs to the request.
        let value = unsafe evhttp_find_header(evhttp_request_get_input_headers(request), name)
        return unsafe value.map { unsafe String(cString: $0) }
    }

    /// evhttp's connection, and the bufferevent below it.
    package var connection: (http: OpaquePointer, buffers: OpaquePointer)? {
        guard let connection = unsafe evhttp_request_get_connection(request),
            let buffers = unsafe evhttp_connection_get_bufferevent(connection)
        else { return nil }
        return unsafe (connection, buffers)
    }

    /// Takes the body.
    package func takeBody() -> [UInt8] {
        guard let buffer = unsafe evhttp_request_get_input_buffer(request) else { return [] }
        let length = unsafe evbuffer_get_length(buffer)
        // Copies at most as much as there is room for.
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { room, count in
            count = unsafe max(0, Int(evbuffer_remove(buffer, room.baseAddress, length)))
        }
    }

    /// - Parameter closes: whether the client may send no further request on this connection.
    package func reply(_ answer: TextAnswer, closes: Bool) {
        // evhttp copies headers.
        if let allow = answer.allow {
            unsafe evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allow)
        }
        let body = Array((answer.text + "\n").utf8)
        reply(answer.status, type: "text/plain; charset=utf-8", body, closes: closes)
    }

    package func reply(_ status: Int32, type: String, _ body: [UInt8], closes: Bool) {
        // evhttp owns the request until the reply below; it copies headers and body.
        let headers = unsafe evhttp_request_get_output_headers(request)
        unsafe evhttp_add_header(headers, "Content-Type", type)
        unsafe evhttp_add_header(headers, "Cache-Control", "no-store")
        if closes { unsafe evhttp_add_header(headers, "Connection", "close") }
        if method != .head {
            unsafe evbuffer_add(evhttp_request_get_output_buffer(request), body, body.count)
        } else {
            unsafe evhttp_add_header(headers, "Content-Length", String(body.count))
        }
        unsafe evhttp_send_reply(request, status, nil, nil)
    }

    /// Sets what a server of evhttp takes of one request.
    ///
    /// - Parameter timeoutSeconds: of silence.
    package static func limit(_ http: OpaquePointer, timeoutSeconds: Int32, headerBytes: Int, bodyBytes: Int) {
        // Each setter takes a live server.
        unsafe evhttp_set_timeout(http, timeoutSeconds)
        unsafe evhttp_set_max_headers_size(http, headerBytes)
        unsafe evhttp_set_max_body_size(http, bodyBytes)
        // All methods are passed on, so that a wrong one gets 405 and not evhttp's 501.
        unsafe evhttp_set_allowed_methods(http, UInt16.max)
    }
}
