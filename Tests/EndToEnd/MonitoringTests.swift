import Foundation
import Loopback
import PosternTesting
import Testing

/// What `postern monitoring` prints, as Prometheus takes it.
@Suite("Monitoring")
struct MonitoringTests {
    @Test("promtool takes the alerts, and a Prometheus that scrapes a proxy answers each query")
    func prometheus() throws {
        try onStage(.epoll) { stage in
            let folder = stage.folder
            var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "callers")])
            settings.admin = true
            let proxy = try stage.start(settings)
            try proxy.awaitReady()
            let rules = try PosternBinary.run(["monitoring", "alerts"], in: folder)
            try folder.write(rules.output, to: "rules.yaml")
            let check = try ChildProcess(["promtool", "check", "rules", "rules.yaml"], in: folder.path)
            #expect(check.awaitExit(within: .seconds(30)) == .code(0), "\(check.standardError.text)")
            try folder.write(
                """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: [rules.yaml]
                scrape_configs:
                  - {job_name: postern, static_configs: [{targets: ["\(try proxy.adminAddress())"]}]}
                """, to: "prometheus.yaml")
            let port = try Self.freePort()
            let server = try ChildProcess(
                [
                    "prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data",
                    "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
                ], in: folder.path)
            defer { server.stop() }
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: folder)
            #expect(client.echoes("one\n"))
            client.process.stop()
            _ = try proxy.accessLine()
            let opened = "postern_connections_opened_total{listener=\"in\"} >= 1"
            let isScraped = try eventually(within: .seconds(60)) { try Self.ask(opened, port) == 1 }
            #expect(isScraped, "\(server.standardError.text)")
            let json = try PosternBinary.run(["monitoring", "grafana"], in: folder)
            let dashboard = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            let panels = try #require(dashboard["panels"] as? [[String: Any]])
            var answered = 0
            for panel in panels {
                for target in panel["targets"] as? [[String: Any]] ?? [] {
                    let query = try #require(target["expr"] as? String)
                        .replacing("$job", with: ".*").replacing("$instance", with: ".*")
                        .replacing("$__rate_interval", with: "1m")
                    let count = try #require(try Self.ask(query, port), "\(query)")
                    answered += count > 0 ? 1 : 0
                }
            }
            // Those without a sample yet are of failures, and of rates over one scrape.
            #expect(panels.count >= 14 && answered >= 3, "\(answered)")
            let known = try Self.get("api/v1/rules", port)
            #expect(known.contains("PosternSVIDExpires") && !known.contains("\"health\":\"err\""))
        }
    }

    private static func freePort() throws -> UInt16 {
        let listener = try TCPListener()
        return listener.address.port
    }

    /// How many samples a query has; nil if it is refused, or the server does not answer yet.
    private static func ask(_ query: String, _ port: UInt16) throws -> Int? {
        let text = try get("api/v1/query", port, ["--data-urlencode", "query=\(query)"])
        guard let answer = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            answer["status"] as? String == "success", let data = answer["data"] as? [String: Any]
        else { return nil }
        return (data["result"] as? [Any])?.count
    }

    private static func get(_ path: String, _ port: UInt16, _ options: [String] = []) throws -> String {
        let curl = try ChildProcess(
            ["curl", "-s", "-m", "10", "--noproxy", "*", "-G"] + options + ["http://127.0.0.1:\(port)/\(path)"])
        _ = curl.awaitExit(within: .seconds(15))
        return curl.standardOutput.text
    }
}
