import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// SIGTERM and SIGINT.
@Suite("Drain")
struct DrainTests {
    @Test(
        "a signal stops accepting, open connections finish, and the exit code is 0", arguments: EventLoopKind.allCases,
        [SIGTERM, SIGINT])
    func finishes(loop: EventLoopKind, signal: Int32) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("before".utf8)
            #expect(try client.receive(exactly: 6) == Array("before".utf8))
            let idleBefore = inbound.process.isRunning
            inbound.process.signal(signal)
            #expect(eventually { (try? TCPConnection.connect(to: inbound.address("in"))) == nil }, "still accepts")
            try client.send("after".utf8)
            #expect(try client.receive(exactly: 5) == Array("after".utf8))
            #expect(idleBefore && inbound.process.isRunning)
            client.finishSending()
            #expect(try client.receiveToEnd().isEmpty)
            #expect(inbound.process.awaitExit() == .code(0))
            #expect(try inbound.accessLine { $0.bytesToUpstream > 0 }.reason == "finished")
        }
    }

    @Test(
        "connections still open when the drain times out are cut, and the exit code reports it",
        arguments: EventLoopKind.allCases)
    func cuts(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo), limits: ["drainTimeout": "200ms"])
            let client = try OpenSSLClient(to: inbound.address("in"), as: .client, folder: stage.folder)
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            inbound.process.signal(SIGTERM)
            #expect(inbound.process.awaitExit() == .code(3))
            #expect(try inbound.accessLine().reason == "drained")
            #expect(client.process.awaitExit() != nil)
        }
    }

    @Test(
        "/readyz answers 503 at once, inbound listeners accept for the drain delay, and none after it",
        arguments: EventLoopKind.allCases)
    func delay(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let settings = SettingsFile(
                listeners: [.inbound(to: application.address)], limits: ["drainDelay": "3s"], admin: true, workers: 2)
            let proxy = try stage.proxy(settings)
            let before = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(before.echoes("before\n"))
            proxy.process.signal(SIGTERM)
            let start = ContinuousClock.now
            try proxy.logEvent("draining")
            #expect(try proxy.ask("/readyz").hasSuffix("503"))
            for number in 0..<3 {
                let during = try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
                #expect(during.echoes("during \(number)\n"))
                during.finish()
                #expect(during.process.awaitExit() == .code(0))
            }
            #expect(ContinuousClock.now - start < .seconds(3), "the delay was over too early to tell")
            #expect(eventually { (try? TCPConnection.connect(to: proxy.address("in"))) == nil }, "still accepts")
            #expect(ContinuousClock.now - start > .seconds(3) - .milliseconds(100))
            #expect(before.echoes("after\n"))
            before.finish()
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test(
        "outbound listeners accept as long as anything is open, in any worker", arguments: EventLoopKind.allCases)
    func outbound(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let peer = try stage.inbound(to: application)
            let path = stage.folder.file("out.sock")
            let settings = SettingsFile(
                role: .client,
                listeners: [
                    .inbound(to: application.address), try .outbound(to: peer.address("in")),
                    try .outbound("file", to: peer.address("in"), bind: "unix:\(path)"),
                ], admin: true, workers: 2)
            let proxy = try stage.proxy(settings)
            let caller = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(caller.echoes("before\n"))
            proxy.process.signal(SIGTERM)
            #expect(eventually { (try? TCPConnection.connect(to: proxy.address("in"))) == nil }, "still accepts")
            // What an application does that still answers: it calls others.
            var open: [TCPConnection] = []
            for number in 0..<8 {
                let connection = try TCPConnection.connect(to: proxy.address("out"))
                try connection.send("during \(number)".utf8)
                #expect(try connection.receive(exactly: 8) == Array("during \(number)".utf8))
                open.append(connection)
            }
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(b"file")
                print(s.recv(4).decode())
                """
            let byFile = try ChildProcess(["python3", "-c", script, path])
            #expect(byFile.awaitExit() == .code(0) && byFile.standardOutput.text == "file\n")
            caller.finish()
            #expect(caller.process.awaitExit() == .code(0))
            // The application has calls of its own open, and may need others to end them.
            let last = try TCPConnection.connect(to: proxy.address("out"))
            try last.send("last".utf8)
            #expect(try last.receive(exactly: 4) == Array("last".utf8))
            for connection in open + [last] {
                connection.finishSending()
                #expect(try connection.receiveToEnd().isEmpty)
            }
            #expect(proxy.process.awaitExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a changed policy is applied during a drain as well", arguments: EventLoopKind.allCases)
    func reload(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            let proxy = try stage.proxy(settings)
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.echoes("before\n"))
            proxy.process.signal(SIGTERM)
            #expect(eventually { (try? TCPConnection.connect(to: proxy.address("in"))) == nil }, "still accepts")
            settings.policies = settings.policies.replacing("sa/client", with: "sa/other")
            try proxy.reload(settings, in: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "policy-changed" }.bytesToUpstream > 0)
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test(
        "with nothing open the proxy ends right after the delay of its command line", arguments: EventLoopKind.allCases)
    func delayAtRest(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let settings = SettingsFile(
                listeners: [.inbound(to: application.address), .outbound(to: application.address)],
                limits: ["drainDelay": "20s"], workers: 2)
            let proxy = try stage.proxy(settings, options: ["--drain-delay", "500ms"])
            let start = ContinuousClock.now
            proxy.process.signal(SIGTERM)
            #expect(proxy.process.awaitExit() == .code(0))
            #expect(ContinuousClock.now - start > .milliseconds(400) && ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test("the drain time-out ends the delay too, and a second signal ends both", arguments: EventLoopKind.allCases)
    func shortened(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let settings = SettingsFile(listeners: [.inbound(to: application.address)], limits: ["drainDelay": "20s"])
            let (first, second) = (
                try stage.proxy(settings, options: ["--drain-timeout", "200ms"]), try stage.proxy(settings)
            )
            let client = try OpenSSLClient(to: second.address("in"), as: .client, folder: stage.folder)
            #expect(client.echoes("before\n"))
            for proxy in [first, second] { proxy.process.signal(SIGTERM) }
            #expect(first.process.awaitExit() == .code(0))
            pauseMilliseconds(1_000)
            second.process.signal(SIGTERM)
            #expect(second.process.awaitExit() == .code(3))
        }
    }

    @Test("who has connected by the time that a listener closes is served", arguments: EventLoopKind.allCases, [1, 2])
    func queued(loop: EventLoopKind, workers: Int) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            let proxy = try stage.proxy(
                SettingsFile(
                    role: .client, listeners: [try .outbound(to: inbound.address("in"))], workers: workers))
            // More than a turn of the loop accepts. A stopped process is one that is busy with something else.
            proxy.process.signal(SIGSTOP)
            let clients = try (0..<40).map { _ in try TCPConnection.connect(to: proxy.address("out")) }
            for signal in [SIGTERM, SIGCONT] { proxy.process.signal(signal) }
            for client in clients {
                try client.send("hello".utf8)
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                client.finishSending()
                #expect(try client.receiveToEnd().isEmpty)
            }
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test("a proxy without connections ends at once", arguments: EventLoopKind.allCases)
    func atRest(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            let start = ContinuousClock.now
            inbound.process.signal(SIGTERM)
            #expect(inbound.process.awaitExit() == .code(0))
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }
}
