import CNghttp2

/// One call of `grpc.health.v1.Health/Check` over HTTP/2, on a connection of its own.
///
/// No I/O inside, as with ``WorkloadConnection``. It belongs to one thread.
@safe
public final class HealthCall {
    public enum Outcome: Hashable, Sendable {
        case serving
        case notServing(reason: String)
    }

    /// Nil until the server has answered or failed.
    public private(set) var outcome: Outcome?
    private var session: OpaquePointer?
    private var messages = GRPCMessages()
    /// The message of the request, which nghttp2 asks for.
    fileprivate let request: [UInt8]
    fileprivate var sentBytes = 0
    private var answer: [UInt8]?
    private var httpStatus = ""
    private var grpcStatus: String?
    private var grpcMessage = ""
    private var headerBytes = 0

    /// Starts the call; its bytes are in the output at once.
    ///
    /// - Parameters:
    ///   - service: whose health is asked for; empty for the server as a whole.
    ///   - authority: the server, as the client names it.
    public init(service: String, authority: String, userAgent: String) throws(WorkloadFault) {
        // HealthCheckRequest {string service = 1}, behind the prefix of a gRPC message.
        var message: [UInt8] = []
        if !service.isEmpty {
            message.append(0x0A)
            var count = service.utf8.count
            while count >= 0x80 {
                message.append(UInt8(count & 0x7F) | 0x80)
                count >>= 7
            }
            message.append(UInt8(count))
            message += service.utf8
        }
        request = [0] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
        unsafe session = nil
        // Safe, in all of this type: the session is this object's, which is the callbacks' user data while it lives.
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0 else { throw .outOfMemory }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, headerReceived)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard unsafe nghttp2_session_client_new(&session, callbacks, context) == 0,
            unsafe nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil, 0) == 0
        else { throw .outOfMemory }
        try begin([
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", authority), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", userAgent),
        ])
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Handles bytes that the server sent; none at the end of its stream.
    public func receive(_ bytes: [UInt8]) {
        guard outcome == nil else { return }
        if bytes.isEmpty { return fail("it closed the connection before it had answered") }
        let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
        }
        if taken < 0 { fail("it answers with something else than gRPC") }
        if outcome == nil, unsafe nghttp2_session_want_read(session) == 0 { fail("it ended the connection") }
    }

    /// Removes and returns the bytes to send to the server.
    public func takeOutput() -> [UInt8] {
        unsafe HTTP2Request.takeOutput(of: session)
    }

    // MARK: Private

    private func begin(_ headers: [(String, String)]) throws(WorkloadFault) {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = requestRead
        _ = try unsafe HTTP2Request.submit(headers, body: &provider, to: session)
    }

    fileprivate func header(_ name: [UInt8], _ value: [UInt8]) -> Bool {
        headerBytes += name.count + value.count
        guard headerBytes <= Self.headerBytesAtMost else { return false }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: name, as: UTF8.self) {
        case ":status": httpStatus = text
        case "grpc-status": grpcStatus = text
        case "grpc-message": grpcMessage = String(text.prefix(200))
        default: break
        }
        return true
    }

    fileprivate func data(_ bytes: UnsafeBufferPointer<UInt8>) {
        do throws(GRPCMessages.Flaw) {
            for message in try unsafe messages.take(bytes) { answer = message }
        } catch {
            fail("it answers with a message that is compressed or too large")
        }
    }

    fileprivate func closed() {
        guard outcome == nil else { return }
        guard grpcStatus == "0" else {
            let status = grpcStatus.map { "gRPC status \($0)\(grpcMessage.isEmpty ? "" : ": \(grpcMessage)")" }
            return fail("it answers with \(status ?? (httpStatus.isEmpty ? "nothing" : "HTTP status \(httpStatus)"))")
        }
        guard let answer, let status = try? ProtobufReader.varint(of: 1, in: answer.span) else {
            return fail("its answer cannot be read")
        }
        // HealthCheckResponse.ServingStatus.
        let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
        if status == 1 { return outcome = .serving }
        fail("it is \(status < UInt64(names.count) ? names[Int(status)] : "of status \(status)")")
    }

    private func fail(_ reason: String) { if outcome == nil { outcome = .notServing(reason: reason) } }

    private static let headerBytesAtMost = 16 * 1_024
}

// MARK: nghttp2's callbacks; `context` is the `HealthCall` in whose call they run.

private func owner(_ context: UnsafeMutableRawPointer?) -> HealthCall {
    // Safe: the call made the session with itself as context, and is in a call of its own.
    unsafe Unmanaged<HealthCall>.fromOpaque(context!).takeUnretainedValue()
}

private func requestRead(
    _: OpaquePointer?, _: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _: UnsafeMutablePointer<nghttp2_data_source>?,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    // Safe: nghttp2 passes a buffer with as much room as it says.
    let call = unsafe owner(context)
    guard let buffer = unsafe buffer else { return 0 }
    let part = call.request[call.sentBytes...].prefix(room)
    for (index, byte) in part.enumerated() { unsafe buffer[index] = byte }
    call.sentBytes += part.count
    if call.sentBytes == call.request.count { unsafe flags?.pointee = NGHTTP2_DATA_FLAG_EOF.rawValue }
    return part.count
}

private func headerReceived(
    _: OpaquePointer?, _: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _: UInt8, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: nghttp2 passes as many readable bytes as it says.
    let isTaken = unsafe owner(context).header(
        Array(UnsafeBufferPointer(start: name, count: nameCount)),
        Array(UnsafeBufferPointer(start: value, count: valueCount)))
    return isTaken ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
}

private func dataReceived(
    _: OpaquePointer?, _: UInt8, _: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: as above.
    unsafe owner(context).data(UnsafeBufferPointer(start: bytes, count: count))
    return 0
}

private func streamClosed(_: OpaquePointer?, _: Int32, _: UInt32, _ context: UnsafeMutableRawPointer?) -> Int32 {
    unsafe owner(context).closed()
    return 0
}
