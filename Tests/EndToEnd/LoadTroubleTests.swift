import Loopback
import PosternTesting
import Testing

/// `postern load` with a faulty target or wrong arguments.
@Suite("Load in trouble")
struct LoadTroubleTests {
    @Test(
        "a run against a target that never responds ends with the duration, and its latencies show it",
        arguments: EventLoopKind.allCases)
    func stalled(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.hangs)
            let options = ["--plain", "--connections", "2", "--rate", "100"]
            let (exit, line) = try stage.load("echo", application.address, options)
            #expect(exit == .code(1) && line.requests == 0)
            #expect(line.unanswered == 2 && line.count("unanswered") == 2 && line.unsent > 20)
            #expect((line.latencyMicroseconds?["max"] ?? 0) > 400_000)
            #expect((line.latencyMicroseconds?["p50"] ?? 0) > 100_000)
        }
    }

    @Test(
        "a server of another identity is refused with its code, and nothing is sent", arguments: EventLoopKind.allCases)
    func wrongServer(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let options = LoadRun.identity(expecting: "spiffe://example.org/ns/default/sa/other")
            let (exit, line) = try stage.load("echo", proxy.address("in"), options)
            #expect(exit == .code(1) && line.count("identity-not-expected") == 1)
            #expect(line.requests == 0 && line.bytes.up == 0 && line.tls == nil)
            #expect(try proxy.accessLine().reason == "handshake-failed")
            #expect(application.acceptedCount == 0)
        }
    }

    @Test(
        "a client that the policy refuses reports the alert", arguments: EventLoopKind.allCases, ["echo", "connect"])
    func refused(loop: EventLoopKind, kind: String) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let options = ["--message-bytes", "1"] + LoadRun.identity(.stranger)
            let (exit, line) = try stage.load(kind, proxy.address("in"), options)
            #expect(exit == .code(1) && line.requests == 0 && line.errors.total > 0)
            #expect(line.count("peer-alert") + line.count("reset") > 0)
            #expect(application.acceptedCount == 0)
        }
    }

    @Test("a changed byte is detected", arguments: EventLoopKind.allCases)
    func corrupted(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(
                Application.Behaviour { connection in
                    while true {
                        var bytes = try connection.receive()
                        guard !bytes.isEmpty else { return }
                        bytes[bytes.count / 2] ^= 0x10
                        try connection.send(bytes)
                    }
                })
            let (exit, line) = try stage.load("echo", application.address, ["--plain"])
            #expect(exit == .code(1) && line.count("corrupted") > 0)
        }
    }

    @Test("a port where nobody listens ends the run at once", arguments: EventLoopKind.allCases)
    func nobody(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let address = SocketAddress(port: try TCPListener.freePort())
            let (exit, line) = try stage.load(
                "connect", address, ["--plain", "--duration", "60s", "--connections", "3"])
            #expect(exit == .code(1) && line.count("connect-refused") == 3)
        }
    }

    struct Mistake: CustomTestStringConvertible, Sendable {
        let words: [String]
        let says: String
        var testDescription: String { words.joined(separator: " ") }

        init(_ words: String, _ says: String) {
            self.words = words.split(separator: " ").map(String.init)
            self.says = says
        }
    }

    private static let files = "--certificate client.pem --private-key client.key --trust-bundle example.org=bundle.pem"
    private static let mistakes = [
        Mistake("echo 127.0.0.1:1", "--identity is missing"),
        Mistake("echo 127.0.0.1:1 --identity spiffe://example.org/a", "no identity"),
        Mistake("echo 127.0.0.1:1 \(files)", "--identity is missing"),
        Mistake("echo 127.0.0.1:1 \(files) --identity example.org", "--identity example.org"),
        Mistake("echo 127.0.0.1:1 --plain --identity spiffe://example.org/a", "--plain excludes"),
        Mistake("echo no-such-host.invalid:80 --plain", "no-such-host.invalid"),
        Mistake("echo 127.0.0.1 --plain", "the port is missing"),
        Mistake("echo ::1:80 --plain", "brackets"),
        Mistake("flood 127.0.0.1:1 --plain", "flood"),
        Mistake("echo 127.0.0.1:1 --plain --duration forever", "forever"),
        Mistake("echo 127.0.0.1:1 --plain --duration 0s", "--duration"),
        Mistake("echo 127.0.0.1:1 --plain --connections 0", "--connections"),
        Mistake("echo 127.0.0.1:1 --plain --rate 0", "--rate"),
        Mistake("bulk 127.0.0.1:1 --plain --rate 5", "--rate"),
        Mistake("echo 127.0.0.1:1 --plain --direction up", "--direction"),
        Mistake("echo 127.0.0.1:1 --plain --message-bytes 0", "--message-bytes"),
        Mistake("echo 127.0.0.1:1 --plain --prelude 0x4", "0x4"),
        Mistake(
            "echo 127.0.0.1:1 --certificate expired.pem --private-key expired.key --trust-bundle example.org=bundle.pem "
                + "--identity spiffe://example.org/a", "expired"),
        Mistake("echo 127.0.0.1:1 --config missing.yaml --identity spiffe://example.org/a", "missing.yaml"),
    ]

    @Test("wrong arguments are reported with exit code 2", arguments: mistakes)
    func mistaken(mistake: Mistake) throws {
        try onStage(.epoll) { stage in
            let result = try PosternBinary.run(["load"] + mistake.words, in: stage.folder)
            #expect(result.exit == .code(2) && result.output.isEmpty)
            #expect(result.errors.contains(mistake.says), "\(result.errors)")
        }
    }
}
