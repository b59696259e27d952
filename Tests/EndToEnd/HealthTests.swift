import Foundation
import Loopback
import PosternTesting
import Testing

/// `/app-health/...` of the admin endpoint, in front of applications that nobody here wrote.
@Suite("The application's health")
struct HealthTests {
    @Test("is what its HTTP server says, as kubelet reads it", arguments: EventLoopKind.allCases)
    func http(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let plain = try PythonPeer("http_application", on: stage)
            let secure = try PythonPeer(
                "http_application", [stage.folder.file("server.pem"), stage.folder.file("server.key")], on: stage)
            let elsewhere = "http://192.0.2.1/"
            let here = "http://127.0.0.1:\(plain.port)/status/204"
            let proxy = try Self.proxy(
                stage,
                [
                    "ok/livez": Self.get("/status/200", plain.port), "ok/readyz": Self.get("/status/399", plain.port),
                    "failing/livez": Self.get("/status/500", plain.port),
                    "failing/readyz": Self.get("/status/404", plain.port),
                    "secure/livez": Self.get("/status/200", secure.port, ", \"scheme\": \"HTTPS\""),
                    "secure/readyz": Self.get("/status/503", secure.port, ", \"scheme\": \"HTTPS\""),
                    // Plaintext to a TLS server, and the reverse.
                    "confused/livez": Self.get("/", secure.port),
                    "confused/readyz": Self.get("/", plain.port, ", \"scheme\": \"HTTPS\""),
                    "moved/livez": Self.get("/to?/status/500", plain.port),
                    "moved/readyz": Self.get("/to?\(here)", plain.port),
                    "moved/startupz": Self.get("/to?\(elsewhere)", plain.port),
                    "secured/livez": Self.get("/to?https://127.0.0.1:\(secure.port)/status/200", plain.port),
                    "secured/readyz": Self.get("/to?https://127.0.0.1:\(secure.port)/status/418", plain.port),
                    "named/livez": Self.get(
                        "/echo?a=b", plain.port,
                        ", \"httpHeaders\": [{\"name\": \"Host\", \"value\": \"app.test\"}, {\"name\": \"X\", \"value\": \"y\"}]"
                    ),
                ])
            let expected = [
                "ok/livez": 200, "ok/readyz": 200, "failing/livez": 500, "failing/readyz": 404, "secure/livez": 200,
                "secure/readyz": 503, "confused/livez": 503, "confused/readyz": 503, "moved/livez": 500,
                "moved/readyz": 200, "moved/startupz": 200, "secured/livez": 200, "secured/readyz": 418,
                "named/livez": 200,
                // Nobody who asks chooses what is asked.
                "ok/startupz": 404, "ok/livez/": 404, "ok/livez%3Fx": 404, "nobody/livez": 404,
            ]
            for (path, status) in expected.sorted(by: { $0.key < $1.key }) {
                let answer = try proxy.ask("/app-health/\(path)", options: ["-A", "kube-probe/1.34"])
                #expect(answer.hasSuffix(" \(status)"), "\(path): \(answer)")
            }
            let requests = plain.process.standardOutput.text
            #expect(requests.contains("/echo?a=b app.test kube-probe/1.34 y\n"), "\(requests)")
            #expect(requests.contains("/status/200 127.0.0.1:\(plain.port) kube-probe/1.34 None\n"), "\(requests)")
            #expect(try proxy.ask("/app-health/ok/livez?path=/status/500").hasSuffix("200"))
            #expect(try proxy.ask("/app-health/ok/livez", options: ["-I"]).hasSuffix("200"))
            #expect(try proxy.ask("/app-health/ok/livez", options: ["-X", "POST"]).hasSuffix("405"))
        }
    }

    @Test("is what a gRPC server's health service says", arguments: EventLoopKind.allCases)
    func grpc(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = try PythonPeer("health_server", on: stage)
            let plain = try PythonPeer("http_application", on: stage)
            let proxy = try Self.proxy(
                stage,
                [
                    "a/livez": "{\"grpc\": {\"port\": \(server.port)}}",
                    "a/readyz": "{\"grpc\": {\"port\": \(server.port), \"service\": \"orders\"}}",
                    "a/startupz": "{\"grpc\": {\"port\": \(plain.port)}}",
                ])
            #expect(try proxy.ask("/app-health/a/livez").hasSuffix(" 200"))
            let unknown = try proxy.ask("/app-health/a/readyz")
            #expect(unknown.contains("gRPC status 5") && unknown.hasSuffix(" 503"), "\(unknown)")
            for (status, code) in [("SERVING", 200), ("NOT_SERVING", 503), ("SERVING", 200)] {
                try server.tell("orders \(status)")
                let answer = try proxy.ask("/app-health/a/readyz")
                #expect(answer.hasSuffix(" \(code)"), "\(status): \(answer)")
            }
            #expect(try proxy.ask("/app-health/a/livez").hasSuffix(" 200"))
            let other = try proxy.ask("/app-health/a/startupz")
            #expect(other.hasSuffix(" 503"), "\(other)")
        }
    }

    @Test("fails in time where it hangs, is not there, or never ends", arguments: EventLoopKind.allCases)
    func slow(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let plain = try PythonPeer("http_application", on: stage)
            let silent = try stage.application(
                .init {
                    _ = try $0.receive(within: .seconds(60)); pauseMilliseconds(5_000)
                })
            let endless = try stage.application(
                .init { connection in
                    try connection.send("HTTP/1.1 200 OK\r\n".utf8)
                    while true {
                        try connection.send("X: y\r\n".utf8)
                        pauseMilliseconds(1)
                    }
                })
            let free = try TCPListener.freePort()
            let proxy = try Self.proxy(
                stage,
                [
                    "slow/livez": Self.get("/slow/30", plain.port),
                    "slow/readyz": Self.get("/slow/6", plain.port, seconds: 8),
                    "slow/startupz": Self.get("/slow/30", plain.port, seconds: 8),
                    "silent/livez": Self.get("/", silent.address.port),
                    "silent/readyz": "{\"grpc\": {\"port\": \(silent.address.port)}}",
                    "silent/startupz": Self.get("/", silent.address.port, ", \"scheme\": \"HTTPS\""),
                    "endless/livez": Self.get("/", endless.address.port),
                    "gone/livez": "{\"tcpSocket\": {\"port\": \(free)}}",
                    "there/livez": "{\"tcpSocket\": {\"port\": \(plain.port)}}",
                ])
            // One that takes longer than other requests may, and is asked for by many at once.
            let patient = try (0..<8).map { _ in
                try ChildProcess([
                    "curl", "-s", "-m", "15", "-w", " %{http_code}",
                    "http://\(try proxy.adminAddress())/app-health/slow/readyz",
                ])
            }
            // Some that do not wait.
            for _ in 0..<20 {
                let connection = try TCPConnection.connect(to: proxy.adminAddress())
                try connection.send("GET /app-health/slow/startupz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            }
            // No more than eight hold a connection of the proxy's until that probe ends.
            let refused = try proxy.ask("/app-health/slow/startupz")
            #expect(refused.contains("8 wait for its first answer") && refused.hasSuffix(" 503"), "\(refused)")
            let start = ContinuousClock.now
            for path in ["slow/livez", "silent/livez", "silent/readyz", "silent/startupz", "endless/livez"] {
                let answer = try proxy.ask("/app-health/\(path)")
                #expect(answer.hasSuffix(" 503"), "\(path): \(answer)")
                // Nothing else waits for it.
                #expect(try proxy.ask("/livez").hasSuffix("200"))
            }
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(try proxy.ask("/app-health/gone/livez").contains("refused"))
            #expect(try proxy.ask("/app-health/there/livez").hasSuffix(" 200"))
            for curl in patient {
                #expect(curl.awaitExit(within: .seconds(15)) == .code(0))
                #expect(curl.standardOutput.text == "ok\n 200")
            }
            // Eight asked, and the application was asked once.
            #expect(plain.process.standardOutput.text.split(separator: "\n").count { $0.hasPrefix("/slow/6 ") } == 1)
        }
    }

    @Test("goes on being answered while the proxy drains", arguments: EventLoopKind.allCases)
    func drain(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let plain = try PythonPeer("http_application", on: stage)
            let proxy = try Self.proxy(stage, ["a/livez": Self.get("/", plain.port)])
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(client.echoes("before\n"))
            proxy.process.signal(15)
            try proxy.logEvent("draining")
            #expect(try proxy.ask("/app-health/a/livez").hasSuffix(" 200"))
            client.finish()
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test(
        "an application that listens on the pod's address alone is asked there, and one that is not there is not the probe",
        arguments: EventLoopKind.allCases)
    func addresses(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("admin.sock")
            let settings = SettingsFile(
                listeners: [.inbound("in", upstream: "{builtin: echo}", bind: "127.0.0.1:15443")],
                extra: "admin: {socket: {path: \"\(path)\"}}")
            // All outgoing connections come from port 40000, as far as they can.
            let script = """
                ip link set lo up && ip address add 10.60.0.1/32 dev lo
                echo '40000 40000' >/proc/sys/net/ipv4/ip_local_port_range
                setpriv --pdeathsig KILL python3 -c 'if True:
                    import socket, time
                    server = socket.create_server(("10.60.0.1", 8080))
                    time.sleep(600)' &
                until ss -Hltn | grep -q 10.60.0.1; do sleep 0.05; done
                exec "$@"
                """
            let probes = """
                {"/app-health/a/livez": {"tcpSocket": {"port": 40000}}, \
                "/app-health/a/readyz": {"tcpSocket": {"port": 8080}}}
                """
            _ = try stage.proxy(
                text: settings.text(loop: loop),
                in: [
                    "unshare", "--net", "bash", "-c", script, "-", "env", "POSTERN_APP_PROBES=\(probes)",
                    "POSTERN_POD_IPS=10.60.0.1",
                ])
            func ask(_ probe: String) throws -> String {
                let curl = try ChildProcess([
                    "curl", "-s", "-m", "5", "-w", " %{http_code}", "--unix-socket", path,
                    "http://localhost/app-health/a/\(probe)",
                ])
                _ = curl.awaitExit()
                return curl.standardOutput.text
            }
            // Where nobody listens on the port, a connection from it to it is one to itself.
            let answer = try ask("livez")
            #expect(answer.contains("Connection refused") && answer.hasSuffix("503"), "\(answer)")
            #expect(try ask("readyz") == "ok\n 200")
        }
    }

    @Test("a flawed list, or one that nothing would answer, is an error at the start")
    func flawed() throws {
        try onStage(.epoll) { stage in
            let application = try stage.application(.echo)
            for name in ["POSTERN_APP_PROBES", "POSTERN_POD_IPS"] {
                let settings = SettingsFile(listeners: [.inbound(to: application.address)], admin: true)
                let path = try stage.folder.write(settings.text(loop: .epoll), to: "flawed.yaml")
                for command in ["check", "doctor", "run"] {
                    let result = try PosternBinary.run(
                        [command, "--config", path], in: stage.folder, environment: [name: "x"])
                    #expect(result.exit == .code(command == "doctor" ? 1 : 2))
                    #expect((result.output + result.errors).contains("\(name): "), "\(command): \(result)")
                }
            }
            let doctor = try PosternBinary.run(
                ["doctor"], in: stage.folder, environment: ["SPIFFE_ENDPOINT_SOCKET": "/no/scheme"])
            #expect(doctor.exit == .code(1) && doctor.output.contains("SPIFFE_ENDPOINT_SOCKET: "), "\(doctor)")
            for (text, admin, reason) in [
                ("{", true, "POSTERN_APP_PROBES: it is no JSON object"),
                ("{\"/livez\": {\"tcpSocket\": {\"port\": 1}}}", true, "is no path such as"),
                ("{\"/app-health/a/livez\": {\"tcpSocket\": {\"port\": 1}}}", false, "the settings have no `admin`"),
            ] {
                let settings = SettingsFile(listeners: [.inbound(to: application.address)], admin: admin)
                let proxy = try stage.start(settings, environment: ["POSTERN_APP_PROBES": text])
                #expect(proxy.process.awaitExit() == .code(2))
                #expect(proxy.process.standardError.text.contains(reason), "\(proxy.process.standardError.text)")
            }
        }
    }

    // MARK: Private

    private static func get(_ path: String, _ port: UInt16, _ more: String = "", seconds: Int = 1) -> String {
        "{\"httpGet\": {\"path\": \"\(path)\", \"port\": \(port)\(more)}, \"timeoutSeconds\": \(seconds)}"
    }

    /// - Parameter probes: by what follows `/app-health/`.
    private static func proxy(_ stage: Stage, _ probes: [String: String]) throws -> ProxyUnderTest {
        let text = probes.map { "\"/app-health/\($0)\": \($1)" }.joined(separator: ", ")
        let settings = SettingsFile(listeners: [.inbound(to: try stage.application(.echo).address)], admin: true)
        return try stage.proxy(settings, environment: ["POSTERN_APP_PROBES": "{\(text)}"])
    }
}

/// A server in Python, of `Peers/`, on a port that it chooses.
final class PythonPeer {
    let process: ChildProcess
    let port: UInt16

    init(_ name: String, _ arguments: [String] = [], on stage: Stage) throws {
        let script = try #require(Bundle.module.path(forResource: name, ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let process = stage.keep(try ChildProcess([python, script] + arguments))
        self.process = process
        let port = process.standardOutput.awaitLine(within: .seconds(60)) { line -> UInt16? in
            line.hasPrefix("serving ") ? UInt16(line.dropFirst("serving ".count)) : nil
        }
        guard let port else { throw HarnessFault.peerNotReady(name, log: process.standardError.text) }
        self.port = port
    }

    /// Tells it a line, and waits until it has understood.
    func tell(_ line: String) throws {
        let before = process.standardOutput.text.split(separator: "\n").count { $0 == "told" }
        process.write(Array("\(line)\n".utf8))
        let isTold = eventually {
            process.standardOutput.text.split(separator: "\n").count { $0 == "told" } > before
        }
        guard isTold else { throw HarnessFault.peerNotReady("Python", log: process.standardError.text) }
    }
}
