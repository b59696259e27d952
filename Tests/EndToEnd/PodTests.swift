import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// A pod from its first moment to its last, in network namespaces, with the rules and commands of its containers.
@Suite("The life of a pod")
struct PodTests {
    @Test(
        "a program that was there before the proxy waits for it, kubelet asks after it, and it calls others to the end",
        arguments: EventLoopKind.allCases)
    func life(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let network = try stage.keep(Network())
            let admin = stage.folder.file("admin.sock")
            let settings =
                try TransparentPage().settings(.redirect)
                .replacing(
                    "admin: {bind: \"127.0.0.1:15000\"}",
                    with: "admin: {bind: \"0.0.0.0:15000\", socket: {path: \"\(admin)\"}}\nlimits: {drainDelay: 300ms}")
                + "\neventLoop: \(loop.rawValue)\nworkers: 2\n"
            let path = try stage.folder.write(settings, to: "pod.yaml")
            let postern = try PosternBinary.path()

            // The init containers.
            try network.run([postern, "redirect", "--apply", "--config", path], in: .pod)
            let proof = try network.run([postern, "validate", "--strict", "--config", path], in: .pod)
            #expect(proof.hasSuffix("redirection works\n"), "\(proof)")

            // The application, and a job that calls another workload. Both start before the proxy.
            let application = try NetworkPeer.echo("127.0.0.1", 8080, in: .pod, of: network, on: stage)
            let server = try Self.server(network, stage)
            let job = stage.keep(
                try network.start(
                    [postern, "await", "--ready", "--admin", "unix:\(admin)", "--"]
                        + NetworkPeer.command(["call", "tcp", Network.v4.outsideService, "80"]), in: .pod))
            job.write(Array("hello\n".utf8))
            job.closeInput()

            let probes = #"{"/app-health/app/readyz": {"tcpSocket": {"port": 8080}}}"#
            let proxy = try stage.proxy(
                text: settings, in: network.prefix(.pod) + ["env", "POSTERN_APP_PROBES=\(probes)"])
            #expect(job.awaitExit() == .code(0))
            #expect(job.standardOutput.text == "answer olleh\nfinished\n")
            #expect(
                try proxy.accessLine { $0.direction == "outbound" }.peerId
                    == "spiffe://example.org/ns/default/sa/client")

            // Kubelet, which has no identity, on the pod's node.
            let probe = ["curl", "-s", "-m", "5", "-w", " %{http_code}", "http://\(Network.v4.pod):15000"]
            func kubelet(_ path: String) throws -> String {
                try network.run(probe.dropLast() + [probe[probe.count - 1] + path], in: .node)
            }
            #expect(try kubelet("/app-health/app/readyz") == "ok\n 200")
            #expect(try kubelet("/readyz") == "ready\n 200")

            // The end: with a caller from outside whom the application still answers.
            let caller = try Self.client(network, stage)
            #expect(caller.standardOutput.awaitLine { $0 == "hello" ? true : nil } == true)
            proxy.process.signal(SIGTERM)
            try proxy.logEvent("draining")
            #expect(try kubelet("/readyz") == "not ready: draining\n 503")
            pauseMilliseconds(400)
            #expect(
                try NetworkPeer.call(Network.v4.outsideService, 80, from: .pod, of: network)
                    == ["answer olleh", "finished"])
            let late = try Self.client(network, stage)
            #expect(late.awaitExit() != nil && !late.standardOutput.text.contains("hello"))
            caller.write(Array("again\n".utf8))
            #expect(caller.standardOutput.awaitLine { $0 == "again" ? true : nil } == true)
            caller.closeInput()
            #expect(proxy.process.awaitExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: admin))
            server.stop()
            application.stop()
        }
    }

    @Test(
        "beside an ordinary container a Job starts first, calls through it, ends it, and keeps its own exit code",
        arguments: EventLoopKind.allCases)
    func job(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let peer = try stage.inbound(to: stage.application(.echo))
            let (admin, out) = (stage.folder.file("admin.sock"), stage.folder.file("out.sock"))
            let settings = try SettingsFile(
                role: .client, listeners: [.outbound(to: peer.address("in"), bind: "unix:\(out)")],
                limits: ["drainDelay": "3s"], extra: "admin: {socket: {path: \"\(admin)\"}}")
            let call = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(b"hello")
                print(s.recv(5).decode())
                """
            func start(_ script: String) throws -> ChildProcess {
                let words = [try PosternBinary.path(), "await", "--ready", "--admin", "unix:\(admin)", "--"]
                return stage.keep(try ChildProcess(words + ["sh", "-c", script, call, out, admin]))
            }
            for code: Int32 in [0, 7] {
                let job = try start(
                    """
                    python3 -c "$0" "$1"
                    curl -s --unix-socket "$2" -X POST http://localhost/quit
                    exit \(code)
                    """)
                let proxy = try stage.proxy(settings)
                #expect(job.awaitExit() == .code(code))
                #expect(job.standardOutput.text == "hello\nending\n")
                // At once, and not after the delay: the container ends, and with it the Job.
                #expect(proxy.process.awaitExit(within: .seconds(2)) == .code(0))
            }
            // Both containers get SIGTERM at once, and the application has a last call to make.
            let application = try start(
                """
                trap 'python3 -c "$0" "$1"; exit 3' TERM
                echo up
                while :; do sleep 0.05; done
                """)
            let proxy = try stage.proxy(settings)
            #expect(application.standardOutput.awaitLine { $0 == "up" ? true : nil } == true)
            proxy.process.signal(SIGTERM)
            try proxy.logEvent("draining")
            application.signal(SIGTERM)
            #expect(application.awaitExit() == .code(3))
            #expect(application.standardOutput.text == "up\nhello\n")
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    // MARK: Private

    /// `openssl s_client` outside, which has said hello to the pod's application.
    private static func client(_ network: Network, _ stage: Stage) throws -> ChildProcess {
        let client = try network.start(
            ["openssl", "s_client", "-connect", "\(Network.v4.pod):8080", "-quiet", "-no_ign_eof"]
                + credentials(stage), in: .outside)
        client.write(Array("hello\n".utf8))
        return stage.keep(client)
    }

    /// `openssl s_server` outside, with an identity of the mesh.
    private static func server(_ network: Network, _ stage: Stage) throws -> ChildProcess {
        let server = try network.start(
            ["openssl", "s_server", "-accept", "\(Network.v4.outside):8443", "-Verify", "3", "-rev"]
                + credentials(stage), in: .outside)
        guard server.standardOutput.awaitLine({ $0.contains("ACCEPT") ? true : nil }) == true else {
            throw HarnessFault.peerNotReady("openssl s_server", log: server.standardError.text)
        }
        return stage.keep(server)
    }

    private static func credentials(_ stage: Stage) -> [String] {
        let folder = stage.folder
        return [
            "-CAfile", folder.file("bundle.pem"), "-cert", folder.file("client.pem"), "-key", folder.file("client.key"),
            "-cert_chain", folder.file("client-chain.pem"),
        ]
    }
}
