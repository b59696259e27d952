import CNghttp2

/// What a client does with a session of nghttp2.
enum HTTP2Request {
    /// Begins a request; returns the number of its stream.
    ///
    /// - Parameters:
    ///   - body: where its body comes from; copied.
    ///   - session: must be alive; nil is for the time before `init` has ended.
    @unsafe
    static func submit(
        _ headers: [(String, String)], body: inout nghttp2_data_provider, to session: OpaquePointer?
    ) throws(WorkloadFault) -> Int32 {
        // One block with all names and values, which nghttp2 copies.
        var text: [UInt8] = []
        for (name, value) in headers { text += Array(name.utf8) + Array(value.utf8) }
        let stream = unsafe text.withUnsafeMutableBufferPointer { block in
            var fields: [nghttp2_nv] = unsafe []
            var start = 0
            for (name, value) in headers {
                let base = unsafe block.baseAddress! + start
                unsafe fields.append(
                    nghttp2_nv(
                        name: base, value: base + name.utf8.count, namelen: name.utf8.count,
                        valuelen: value.utf8.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                start += name.utf8.count + value.utf8.count
            }
            return unsafe nghttp2_submit_request(session, nil, fields, fields.count, &body, nil)
        }
        guard stream > 0 else { throw .outOfMemory }
        return stream
    }

    /// Removes and returns the bytes to send to the server.
    ///
    /// - Parameter session: must be alive; nil is for the time before `init` has ended.
    @unsafe
    static func takeOutput(of session: OpaquePointer?) -> [UInt8] {
        var output: [UInt8] = []
        while true {
            var data: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &data)
            guard count > 0, let data = unsafe data else { return output }
            // The bytes are the session's until its next call.
            unsafe output += UnsafeBufferPointer(start: data, count: count)
        }
    }
}
