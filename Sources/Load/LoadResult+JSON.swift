import Telemetry

extension LoadResult {
    /// One JSON object on one line.
    public var json: String {
        var json = JSONWriter()
        json.beginObject()
        json.field("target", plan.target.text)
        json.field("kind", plan.kind.name)
        json.field("direction", plan.kind.direction?.rawValue)
        json.field("eventLoop", eventLoop)
        writeTLS(&json)
        json.field("connections", plan.connections)
        json.field("connected", connected)
        json.field("warmupSeconds", Int64(plan.warmupNanoseconds / 1_000_000), decimals: 3)
        json.field("durationSeconds", Int64(windowNanoseconds / 1_000_000), decimals: 3)
        json.field("messageBytes", plan.messageBytes)
        json.field("requests", requests)
        json.field("unsent", unsent)
        json.field("unanswered", unanswered)
        json.beginObject("errors")
        json.field("total", errors.total)
        json.beginArray("kinds")
        for entry in errors.entries {
            json.beginObject()
            json.field("kind", entry.kind)
            json.field("count", entry.count)
            json.field("detail", entry.detail)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        json.beginObject("bytes")
        json.field("up", bytesUp)
        json.field("down", bytesDown)
        json.endObject()
        if let rate = plan.ratePerSecond { json.field("rateRequested", rate) } else { json.null("rateRequested") }
        json.field("rateAchieved", millisASecond(requestsInWindow), decimals: 3)
        json.beginObject("bitsPerSecond")
        json.field("up", millisASecond(bytesUp * 8) / 1_000)
        json.field("down", millisASecond(bytesDown * 8) / 1_000)
        json.endObject()
        write("latencyMicroseconds", latency, &json)
        write("connectMicroseconds", connect, &json)
        write("handshakeMicroseconds", handshake, &json)
        json.beginObject("ownCpuSeconds")
        json.field("user", userNanoseconds / 1_000, decimals: 6)
        json.field("system", systemNanoseconds / 1_000, decimals: 6)
        json.endObject()
        json.endObject()
        return json.text
    }

    private func writeTLS(_ json: inout JSONWriter) {
        guard let negotiated else { return json.null("tls") }
        json.beginObject("tls")
        json.field("version", negotiated.version)
        json.field("cipher", negotiated.cipher)
        json.field("alpn", negotiated.applicationProtocol)
        json.field("peer", negotiated.peer)
        json.field("handshakes", handshakes)
        json.field("resumed", resumed)
        json.endObject()
    }

    private func write(_ key: String, _ summary: HistogramSummary?, _ json: inout JSONWriter) {
        guard let summary else { return json.null(key) }
        json.beginObject(key)
        json.field("count", summary.count)
        for (name, value) in summary.named { json.field(name, Int64(value), decimals: 3) }
        json.endObject()
    }
}

extension HistogramSummary {
    /// The names in reports, in order.
    var named: [(name: String, value: UInt64)] {
        [
            ("min", minimum), ("mean", mean), ("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p999),
            ("p99.99", p9999), ("max", maximum),
        ]
    }
}
