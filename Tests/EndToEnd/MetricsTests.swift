import Foundation
import Loopback
import PosternTesting
import Testing

/// `/metrics`, as Prometheus' own parsers read it.
@Suite("Metrics")
struct MetricsTests {
    @Test(
        "count connections, handshakes, decisions and bytes by what the settings name",
        arguments: EventLoopKind.allCases)
    func counts(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "callers")])
            settings.admin = true
            let proxy = try stage.start(settings)
            let allowed = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(allowed.echoes("one\n"))
            let active = try samples(proxy)
            #expect(active["postern_connections_active{listener=\"in\"}"] == "1")
            #expect(active["postern_connections_opened_total{listener=\"in\"}"] == "1")
            allowed.process.stop()
            let denied = try OpenSSLClient(to: proxy.address("in"), as: .stranger, folder: stage.folder)
            _ = denied.process.awaitExit()
            let expired = try OpenSSLClient(to: proxy.address("in"), as: .expired, folder: stage.folder)
            _ = expired.process.awaitExit()
            _ = try proxy.accessLines(3)
            let found = try samples(proxy)
            for (name, value) in [
                ("postern_connections_active{listener=\"in\"}", "0"),
                ("postern_connections_opened_total{listener=\"in\"}", "3"),
                ("postern_connections_closed_total{listener=\"in\",reason=\"policy-denied\"}", "1"),
                ("postern_connections_closed_total{listener=\"in\",reason=\"certificate-refused\"}", "1"),
                (
                    "postern_decisions_total{decision=\"allow\",listener=\"in\",policy=\"callers\","
                        + "route=\"application\",rule=\"callers\"}", "1"
                ),
                (
                    "postern_decisions_total{decision=\"deny\",listener=\"in\",policy=\"callers\","
                        + "route=\"application\",rule=\"\"}", "1"
                ),
                ("postern_handshakes_total{code=\"\",kind=\"full\",listener=\"in\",result=\"ok\"}", "2"),
                ("postern_bytes_total{direction=\"to_upstream\",listener=\"in\",route=\"application\"}", "4"),
                ("postern_handshake_duration_seconds_count{}", "2"),
                ("postern_connection_duration_seconds_bucket{le=\"+Inf\"}", "3"),
            ] { #expect(found[name] == value, "\(name) is \(found[name] ?? "missing")") }
            let kind = loop == .ioURing ? "io_uring" : "epoll"
            #expect(found.keys.contains { $0.hasPrefix("postern_build_info{event_loop=\"\(kind)\",openssl=\"OpenSSL") })
            for name in ["process_resident_memory_bytes{}", "process_open_fds{}", "process_start_time_seconds{}"] {
                #expect(Double(found[name] ?? "0") ?? 0 > 0, "\(name)")
            }
            #expect(found["postern_bundle_not_after_timestamp_seconds{trust_domain=\"example.org\"}"] != nil)
        }
    }

    private func samples(_ proxy: ProxyUnderTest) throws -> [String: String] {
        try Metrics.samples(at: "\(try proxy.adminAddress())")
    }
}

extension Metrics {
    /// All samples, as Prometheus' own parsers read both formats.
    static func samples(at address: String) throws -> [String: String] {
        let script = try #require(Bundle.module.path(forResource: "metrics_check", ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let process = try ChildProcess([python, script, "http://\(address)/metrics"])
        #expect(process.awaitExit(within: .seconds(60)) == .code(0), "\(process.standardError.text)")
        return Dictionary(
            process.standardOutput.text.split(separator: "\n").map { line in
                let space = line.lastIndex(of: " ")!
                return (String(line[..<space]), String(line[line.index(after: space)...]))
            }, uniquingKeysWith: { one, _ in one })
    }
}
