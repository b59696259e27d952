import Foundation
import Loopback
import PosternTesting
import Testing

/// What applications that nobody here wrote read in the header that stands in front of a connection.
@Suite("An application that is told who calls")
struct ProxyProtocolTests {
    @Test(
        "reads source, destination, SPIFFE ID, server name, protocol, TLS and the access log's number, with a checksum",
        arguments: EventLoopKind.allCases)
    func pypi(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try ProxyApplication(stage)
            let proxy = try stage.proxy(SettingsFile(listeners: [.telling(application.address)]))
            let address = try proxy.address("in")
            let client = try OpenSSLClient(
                to: address, as: .client, folder: stage.folder, options: ["-servername", "app.test", "-no_ign_eof"])
            #expect(client.echoes("hello\n"))
            client.process.closeInput()
            let told = try application.header(0)
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect(told["error"] == nil, "\(told)")
            #expect(told["identity"] as? String == line.peerId)
            #expect(told["uniqueID"] as? String == line.connection && line.connection?.utf8.count == 16)
            #expect((told["source"] as? String)?.replacing(" ", with: ":") == line.source)
            #expect(told["destination"] as? String == "127.0.0.1 \(address.port)")
            #expect(told["serverName"] as? String == "app.test")
            #expect(told["tlsVersion"] as? String == "TLSv1.3" && told["cipher"] as? String == line.cipher)
            #expect(told["verified"] as? Bool == true && told["hasChecksum"] as? Bool == true)
            // The header is ours, not the peer's.
            #expect(line.bytesToUpstream == 6 && line.bytesFromUpstream == 6)
            _ = client.process.awaitExit()
        }
    }

    @Test(
        "reads the client that a load balancer named, and what that client connected to",
        arguments: EventLoopKind.allCases)
    func passedOn(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try ProxyApplication(stage)
            var listener = SettingsFile.Listener.telling(application.address)
            listener.text += "\n    acceptProxyProtocol: {from: [\"127.0.0.1\"]}"
            let proxy = try stage.proxy(SettingsFile(listeners: [listener]))
            let relay = try stage.keep(
                Relay(to: proxy.address("in"), .plain, prologue: "PROXY TCP4 192.0.2.1 198.51.100.1 1000 443\r\n"))
            let client = try OpenSSLClient(to: relay.address, as: .client, folder: stage.folder)
            #expect(client.echoes("hello\n"))
            let told = try application.header(0)
            #expect(told["source"] as? String == "192.0.2.1 1000", "\(told)")
            #expect(told["destination"] as? String == "198.51.100.1 443")
            client.process.stop()
        }
    }

    @Test("may be HAProxy or nginx", arguments: ["haproxy", "nginx"])
    func others(kind: String) throws {
        try onStage(.epoll) { stage in
            let port = try TCPListener.freePort()
            let made = kind == "haproxy" ? try haproxy(port, stage) : try nginx(port, stage)
            let server = stage.keep(made)
            #expect(eventually { (try? TCPConnection.connect(to: SocketAddress(port: port))) != nil })
            let proxy = try stage.proxy(SettingsFile(listeners: [.telling(SocketAddress(port: port))]))
            let address = try proxy.address("in")
            let client = try OpenSSLClient(
                to: address, as: .client, folder: stage.folder, options: ["-servername", "app.test"])
            client.send("GET / HTTP/1.0\r\n\r\n")
            let line = try proxy.accessLine { $0.reason == "finished" }
            let source = line.source?.replacing(":", with: " ") ?? ""
            let expected =
                kind == "haproxy"
                ? "<\(source) 127.0.0.1 \(address.port) app.test \(line.connection ?? "")>"
                : "<\(source)>"
            _ = client.process.awaitExit()
            #expect(client.process.standardOutput.text.contains(expected), "\(client.process.standardOutput.text)")
            server.stop()
        }
    }

    @Test("is told before the first byte also where its first endpoint refuses, and by each connection once")
    func secondEndpoint() throws {
        try onStage(.ioURing) { stage in
            let application = try ProxyApplication(stage)
            let closed = try TCPListener.freePort()
            let proxy = try stage.proxy(
                SettingsFile(listeners: [
                    .inbound(
                        "in",
                        upstream: "{endpoints: [\"127.0.0.1:\(closed)\", \"\(application.address)\"], "
                            + "sendProxyProtocol: v2}")
                ]))
            for number in 0..<3 {
                let client = try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
                #expect(client.echoes("hello\n"))
                client.process.closeInput()
                #expect(try application.header(number)["error"] == nil)
                _ = (try proxy.accessLine { $0.reason == "finished" }, client.process.awaitExit())
            }
        }
    }

    private func haproxy(_ port: UInt16, _ stage: Stage) throws -> ChildProcess {
        let path = try stage.folder.write(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            frontend application
                bind 127.0.0.1:\(port) accept-proxy
                http-request return status 200 content-type text/plain lf-string "<%ci %cp %[dst] %[dst_port] \
            %[fc_pp_authority] %[fc_pp_unique_id]>"

            """, to: "application.cfg")
        return try ChildProcess(["haproxy", "-db", "-f", path])
    }

    private func nginx(_ port: UInt16, _ stage: Stage) throws -> ChildProcess {
        let root = stage.folder.path
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(root)/\($0);" }
        let path = try stage.folder.write(
            """
            daemon off; master_process off; pid \(root)/nginx.pid; error_log \(root)/nginx.log;
            events { worker_connections 64; }
            http {
              access_log off; \(paths.joined(separator: " "))
              server {
                listen 127.0.0.1:\(port) proxy_protocol;
                location / { return 200 "<$proxy_protocol_addr $proxy_protocol_port>"; }
              }
            }
            """, to: "application.conf")
        return try ChildProcess(["nginx", "-p", root, "-c", path])
    }
}

/// An echo behind the PyPI package that reads headers.
struct ProxyApplication {
    let address: SocketAddress
    private let process: ChildProcess

    init(_ stage: Stage) throws {
        let script = try #require(Bundle.module.path(forResource: "proxy_application", ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let port = try TCPListener.freePort()
        address = SocketAddress(port: port)
        process = try stage.keep(ChildProcess([python, script, "\(port)"], in: stage.folder.path))
        guard process.standardOutput.awaitLine(within: .seconds(120), { $0 == "serving" ? true : nil }) != nil else {
            throw HarnessFault.peerNotReady("proxy_application.py", log: process.standardError.text)
        }
    }

    /// What the header of the connection with this number says.
    func header(_ number: Int) throws -> [String: Any] {
        var seen = -1
        let line = process.standardOutput.awaitLine { line -> String? in
            guard line.hasPrefix("{") else { return nil }
            seen += 1
            return seen == number ? line : nil
        }
        let text = try #require(line, "the application has read no header")
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}

extension SettingsFile.Listener {
    /// An inbound listener that tells its application who calls.
    fileprivate static func telling(_ endpoint: SocketAddress) -> Self {
        .inbound("in", upstream: "{endpoints: [\"\(endpoint)\"], sendProxyProtocol: v2}")
    }
}
