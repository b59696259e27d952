import CNghttp2

/// One connection to a SPIFFE Workload API: HTTP/2 with a streaming gRPC call for SVIDs and one for bundles.
///
/// No I/O inside: ``receive(_:)`` turns received bytes into events, ``takeOutput()`` returns the bytes to send. After
/// `failed` the connection is unusable. It belongs to one thread.
@safe
public final class WorkloadConnection {
    public enum Call: Int32, Sendable, CaseIterable {
        case svids, bundles

        fileprivate var path: String {
            switch self {
            case .svids: "/SpiffeWorkloadAPI/FetchX509SVID"
            case .bundles: "/SpiffeWorkloadAPI/FetchX509Bundles"
            }
        }
    }

    public enum Event: Sendable {
        /// The workload's complete set of SVIDs from now on.
        case svids(X509SVIDMessage)
        case bundles(X509BundlesMessage)
        /// An invalid message was discarded; the previous one stays in force.
        case discarded(Call, WorkloadMessageFlaw)
        /// The server ended a call with a gRPC status; 2 (unknown) where it gave none.
        case ended(Call, status: Int, message: String)
        /// The answer to a ping.
        case pong
        /// The server broke the protocol.
        case failed(reason: String)
    }

    /// The response to one call so far.
    private struct Answer {
        let call: Call
        var messages = GRPCMessages()
        var httpStatus = ""
        var grpcStatus: Int?
        var grpcMessage = ""
        var headerBytes = 0
    }

    private var session: OpaquePointer?
    private var answers: [Int32: Answer] = [:]
    private var events: [Event] = []
    private var hasFailed = false

    /// Starts `calls`; their requests are in the output at once.
    public init(_ calls: [Call] = Call.allCases) throws(WorkloadFault) {
        unsafe session = nil
        // Safe, in all of this type: the session is this object's, which is the callbacks' user data while it lives.
        var callbacks: OpaquePointer?
        var options: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0 else { throw .outOfMemory }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        guard unsafe nghttp2_option_new(&options) == 0 else { throw .outOfMemory }
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(options, 0)
        unsafe nghttp2_option_set_max_outbound_ack(options, 100)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, headerReceived)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameReceived)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard unsafe nghttp2_session_client_new2(&session, callbacks, context, options) == 0 else { throw .outOfMemory }
        guard unsafe nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil, 0) == 0 else {
            throw .outOfMemory
        }
        for call in calls { try begin(call) }
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Handles bytes that the server sent; empty at the end of its stream.
    public func receive(_ bytes: [UInt8]) -> [Event] {
        events = []
        guard !hasFailed else { return [] }
        if bytes.isEmpty { fail("the server closed the connection") }
        let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
        }
        if taken < 0 { fail(Self.message(Int32(taken))) }
        if unsafe nghttp2_session_want_read(session) == 0, unsafe nghttp2_session_want_write(session) == 0 {
            fail("the server ended the connection")
        }
        return events
    }

    /// Removes and returns the bytes to send to the server.
    public func takeOutput() -> [UInt8] {
        unsafe HTTP2Request.takeOutput(of: session)
    }

    /// Sends a ping, which the server answers with a `pong`.
    public func ping() { unsafe _ = nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

    // MARK: Private

    private func begin(_ call: Call) throws(WorkloadFault) {
        let headers = [
            (":method", "POST"), (":scheme", "http"), (":path", call.path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "postern"),
            // SPIFFE Workload Endpoint 6.1: without it a server must refuse.
            ("workload.spiffe.io", "true"),
        ]
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = { _, _, buffer, room, flags, _, _ in
            let message = GRPCMessages.emptyMessage
            guard room >= message.count, let buffer = unsafe buffer else { return 0 }
            for (index, byte) in message.enumerated() { unsafe buffer[index] = byte }
            unsafe flags?.pointee = NGHTTP2_DATA_FLAG_EOF.rawValue
            return message.count
        }
        let stream = try unsafe HTTP2Request.submit(headers, body: &provider, to: session)
        answers[stream] = Answer(call: call)
    }

    fileprivate func header(_ stream: Int32, _ name: [UInt8], _ value: [UInt8]) -> Bool {
        guard answers[stream] != nil else { return true }
        answers[stream]?.headerBytes += name.count + value.count
        guard let bytes = answers[stream]?.headerBytes, bytes <= Self.headerBytesAtMost else { return false }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: name, as: UTF8.self) {
        case ":status": answers[stream]?.httpStatus = text
        case "grpc-status": answers[stream]?.grpcStatus = Int(text) ?? 2
        case "grpc-message": answers[stream]?.grpcMessage = text
        default: break
        }
        return true
    }

    fileprivate func data(_ stream: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        guard let answer = answers[stream] else { return }
        do throws(GRPCMessages.Flaw) {
            for message in try unsafe answers[stream]!.messages.take(bytes) { read(message, of: answer.call) }
        } catch {
            fail(
                error == .compressed
                    ? "a message is compressed, although compression was not requested" : "a message is too large")
        }
    }

    private func read(_ message: [UInt8], of call: Call) {
        do throws(WorkloadMessageFlaw) {
            switch call {
            case .svids: events.append(.svids(try X509SVIDMessage(parsing: message)))
            case .bundles: events.append(.bundles(try X509BundlesMessage(parsing: message)))
            }
        } catch {
            events.append(.discarded(call, error))
        }
    }

    fileprivate func closed(_ stream: Int32, _ code: UInt32) {
        guard let answer = answers.removeValue(forKey: stream) else { return }
        if let status = answer.grpcStatus {
            return events.append(.ended(answer.call, status: status, message: answer.grpcMessage))
        }
        let why =
            answer.httpStatus == "200" || answer.httpStatus.isEmpty
            ? "the stream ended without a status (HTTP/2 error \(code))" : "HTTP status \(answer.httpStatus)"
        events.append(.ended(answer.call, status: Self.unknownStatus, message: why))
    }

    fileprivate func frame(_ frame: borrowing nghttp2_frame_hd) {
        let isAnswer = frame.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        if frame.type == UInt8(NGHTTP2_PING.rawValue), isAnswer { events.append(.pong) }
        if frame.type == UInt8(NGHTTP2_GOAWAY.rawValue), answers.isEmpty { fail("the server went away") }
    }

    private func fail(_ reason: String) {
        guard !hasFailed else { return }
        hasFailed = true
        events.append(.failed(reason: reason))
    }

    private static func message(_ code: Int32) -> String {
        // A static text of the library.
        unsafe String(cString: nghttp2_strerror(code))
    }

    private static let headerBytesAtMost = 16 * 1_024
    private static let unknownStatus = 2
}

/// Why a connection could not be created.
public enum WorkloadFault: Error, Hashable, Sendable {
    case outOfMemory
}

// MARK: nghttp2's callbacks; `context` is the `WorkloadConnection` in whose call they run.

private func owner(_ context: UnsafeMutableRawPointer?) -> WorkloadConnection {
    // Safe: the connection made the session with itself as context, and is in a call of its own.
    unsafe Unmanaged<WorkloadConnection>.fromOpaque(context!).takeUnretainedValue()
}

private func headerReceived(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _: UInt8, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: nghttp2 passes as many readable bytes as it says.
    guard let frame = unsafe frame else { return 0 }
    let isTaken = unsafe owner(context).header(
        frame.pointee.hd.stream_id, Array(UnsafeBufferPointer(start: name, count: nameCount)),
        Array(UnsafeBufferPointer(start: value, count: valueCount)))
    return isTaken ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
}

private func dataReceived(
    _: OpaquePointer?, _: UInt8, _ stream: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: nghttp2 passes as many readable bytes as it says.
    unsafe owner(context).data(stream, UnsafeBufferPointer(start: bytes, count: count))
    return 0
}

private func streamClosed(
    _: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe owner(context).closed(stream, code)
    return 0
}

private func frameReceived(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: the header is the first thing of every frame.
    if let frame = unsafe frame { unsafe owner(context).frame(frame.pointee.hd) }
    return 0
}
