import Glibc
import Loopback
import PosternTesting
import Testing

/// `postern load` against proxies, and against peers that nobody here wrote.
@Suite("Load")
struct LoadTests {
    @Test("echoes over mutual TLS are counted, timed and checked", arguments: EventLoopKind.allCases)
    func echo(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin("echo")
            let (exit, line) = try stage.load(
                "echo", proxy.address("in"), ["--connections", "4", "--message-bytes", "3KiB"] + LoadRun.identity())
            #expect(exit == .code(0))
            #expect(line.kind == "echo" && line.eventLoop == loop.rawValue)
            #expect(line.errors.total == 0 && line.unsent == 0 && line.unanswered == 0)
            #expect(line.requests > 20 && line.rateAchieved > 60)
            #expect(line.connections == 4 && line.connected == 4 && line.messageBytes == 3_072)
            #expect(line.bytes.down > 20 * 3_072 && line.bitsPerSecond.down > 0)
            let tls = try #require(line.tls)
            #expect(tls.version == "1.3" && tls.cipher == "TLS_AES_128_GCM_SHA256" && tls.handshakes == 4)
            #expect(tls.peer == "spiffe://example.org/ns/default/sa/server" && tls.resumed == 0)
            let latency = try #require(line.latencyMicroseconds)
            let names = ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
            let values = try names.map { try #require(latency[$0]) }
            #expect(values == values.sorted() && values[0] > 0)
            #expect(line.rateRequested == nil && line.connectMicroseconds?["count"] == 4)
            #expect(try proxy.accessLine().reason == "finished")
        }
    }

    @Test(
        "bulk transfers bytes up, down and both ways", arguments: EventLoopKind.allCases,
        [("up", "discard"), ("down", "source"), ("both", "echo")])
    func bulk(loop: EventLoopKind, direction: (name: String, builtin: String)) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin(direction.builtin)
            let options = ["--direction", direction.name] + LoadRun.identity()
            let (exit, line) = try stage.load("bulk", proxy.address("in"), options)
            #expect(exit == .code(0) && line.direction == direction.name)
            #expect((line.bytes.up > 1 << 20) == (direction.name != "down"))
            #expect((line.bytes.down > 1 << 20) == (direction.name != "up"))
        }
    }

    @Test("connect makes full handshakes unless told to resume", arguments: EventLoopKind.allCases, [false, true])
    func connect(loop: EventLoopKind, resumes: Bool) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin("echo")
            let options = ["--connections", "3", "--message-bytes", "1"] + (resumes ? ["--resume"] : [])
            let (exit, line) = try stage.load("connect", proxy.address("in"), options + LoadRun.identity())
            #expect(exit == .code(0))
            let tls = try #require(line.tls)
            #expect(line.requests > 3 && tls.handshakes >= line.requests)
            #expect(resumes ? tls.resumed > line.requests / 2 : tls.resumed == 0)
            #expect((line.handshakeMicroseconds?["p50"] ?? 0) > 0)
            #expect(try proxy.accessLine().reason == "finished")
        }
    }

    @Test("an open loop keeps its pace", arguments: EventLoopKind.allCases)
    func pace(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin("echo")
            let options = ["--rate", "200", "--connections", "2", "--duration", "1s", "--warmup", "100ms"]
            let (exit, line) = try stage.load("echo", proxy.address("in"), options + LoadRun.identity())
            #expect(exit == .code(0) && line.rateRequested == 200)
            // A busy machine delivers what the warm-up left behind a little late.
            #expect((150...250).contains(line.rateAchieved))
        }
    }

    @Test(
        "a pair of proxies carries plaintext load, and a settings file gives an identity",
        arguments: EventLoopKind.allCases)
    func pair(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            let plain = try stage.load("echo", outbound.address("out"), ["--plain"])
            #expect(plain.exit == .code(0) && plain.line.requests > 10 && plain.line.tls == nil)
            let settings = try stage.folder.write(
                SettingsFile(role: .client, listeners: [.outbound(to: inbound.address("in"))]).text(loop: loop),
                to: "load.yaml")
            let options = [
                "--config", settings, "--identity", "spiffe://example.org/ns/*/sa/server", "--sni", "a.example",
            ]
            let direct = try stage.load("echo", inbound.address("in"), options)
            #expect(direct.exit == .code(0) && direct.line.requests > 10)
            #expect(try inbound.accessLine { $0.sni == "a.example" }.decision == "allow")
        }
    }

    @Test("openssl s_server works as a target", arguments: EventLoopKind.allCases)
    func openssl(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = stage.keep(try OpenSSLServer(as: .server, folder: stage.folder))
            let (exit, line) = try stage.load("connect", server.address, LoadRun.identity())
            #expect(exit == .code(0), "\(line.errors)")
            #expect(line.requests > 3 && line.tls?.peer == "spiffe://example.org/ns/default/sa/server")
        }
    }

    @Test("a prelude in hex is sent first", arguments: EventLoopKind.allCases)
    func prelude(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(
                Application.Behaviour { connection in
                    guard try connection.receive(exactly: 2) == [0x45, 0x0a] else { return }
                    try Application.Behaviour.echo.serve(connection)
                })
            let (exit, line) = try stage.load("echo", application.address, ["--plain", "--prelude", "0x450a"])
            #expect(exit == .code(0) && line.requests > 10)
        }
    }

    @Test("idle connections stay established until the end, and are announced", arguments: EventLoopKind.allCases)
    func idle(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin("echo")
            let options = ["--idle", "--connections", "40", "--duration", "60s"] + LoadRun.identity()
            let run = try LoadRun("echo", to: "\(proxy.address("in"))", options, on: stage)
            let said = run.process.standardError.awaitLine { $0 == "idle: 40 of 40 connections are up" ? true : nil }
            #expect(said == true)
            run.process.signal(SIGTERM)
            let (exit, line) = try run.line()
            #expect(exit == .code(0) && line.connected == 40 && line.bytes.up == 0)
        }
    }

    @Test("SIGINT ends a run with a result", arguments: EventLoopKind.allCases)
    func interrupted(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let proxy = try stage.builtin("echo")
            let options = ["--duration", "60s", "--warmup", "0s", "--marks"] + LoadRun.identity()
            let run = try LoadRun("echo", to: "\(proxy.address("in"))", options, on: stage)
            #expect(run.process.standardError.awaitLine { $0 == "measuring" ? true : nil } == true)
            pauseMilliseconds(200)
            run.process.signal(SIGINT)
            let (exit, line) = try run.line()
            #expect(exit == .code(0) && line.requests > 0 && line.durationSeconds < 30)
        }
    }
}
