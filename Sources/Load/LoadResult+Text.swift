import Telemetry

extension LoadResult {
    /// A short table for a person.
    public var text: String {
        var lines = ["\(plan.kind.name)\(plan.kind.direction.map { " \($0.rawValue)" } ?? "") to \(plan.target.text)"]
        if let negotiated {
            let resumed = resumed > 0 ? ", \(resumed) of \(handshakes) handshakes resumed" : ""
            lines.append(row("TLS", "\(negotiated.version) \(negotiated.cipher)\(resumed)"))
            lines.append(row("peer", negotiated.peer))
        }
        let seconds = Self.decimal(Int64(windowNanoseconds / 1_000_000), 3)
        lines.append(row("connections", "\(plan.connections), \(connected) established at one time"))
        lines.append(row("measured", "\(seconds) s, on \(eventLoop)"))
        switch plan.kind {
        case .bulk: break
        case .idle: break
        case .echo, .connect:
            let wanted = plan.ratePerSecond.map { "of \($0) requested" } ?? ""
            let rate = Self.decimal(millisASecond(requestsInWindow), 3)
            lines.append(row("requests", "\(requests), \(rate) a second\(wanted)"))
            if unsent > 0 { lines.append(row("unsent", "\(unsent) were due and never started")) }
        }
        for (name, bytes) in [("up", bytesUp), ("down", bytesDown)] where bytes > 0 {
            let megabits = Self.decimal(millisASecond(bytes * 8) / 1_000_000, 3)
            lines.append(row(name, "\(bytes) bytes, \(megabits) Mbit/s"))
        }
        for (name, summary) in [("latency", latency), ("connect", connect), ("handshake", handshake)] {
            guard let summary else { continue }
            let parts = summary.named.map { "\($0.name) \(Self.decimal(Int64($0.value / 100), 1))" }
            lines.append(row("\(name), us", parts.joined(separator: "  ")))
        }
        let processor = Self.decimal((userNanoseconds + systemNanoseconds) / 1_000_000, 3)
        lines.append(row("own CPU", "\(processor) s"))
        for entry in errors.entries { lines.append(row("error", "\(entry.count) x \(entry.kind): \(entry.detail)")) }
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 16 - name.utf8.count)) + value
    }

    private static func decimal(_ units: Int64, _ decimals: Int) -> String {
        var one: Int64 = 1
        for _ in 0..<decimals { one *= 10 }
        return "\(units / one).\(CivilTime.padded(Int(units % one), decimals))"
    }
}
