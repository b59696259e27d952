import Foundation
import Loopback
import PosternTesting
import Testing

@Suite("The command that waits for a proxy")
struct AwaitTests {
    @Test(
        "waits until the proxy is there, and then becomes the command, whose exit code is its own",
        arguments: EventLoopKind.allCases)
    func command(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("admin.sock")
            let mark = stage.folder.file("started")
            let settings = SettingsFile(
                listeners: [.inbound(to: try stage.application(.echo).address)],
                extra: "admin: {socket: {path: \"\(path)\"}}")
            let waiting = try ChildProcess([
                try PosternBinary.path(), "await", "--ready", "--admin", "unix:\(path)", "--", "sh", "-c",
                "echo $$ >'\(mark)'; cat; exit 7",
            ])
            pauseMilliseconds(200)
            #expect(!FileManager.default.fileExists(atPath: mark) && waiting.isRunning)
            _ = try stage.proxy(settings)
            #expect(eventually { FileManager.default.fileExists(atPath: mark) })
            // The same process, with the same streams.
            waiting.write(Array("hello\n".utf8))
            waiting.closeInput()
            #expect(waiting.awaitExit() == .code(7))
            #expect(waiting.standardOutput.text == "hello\n")
            #expect(eventually { (try? String(contentsOfFile: mark, encoding: .utf8)) == "\(waiting.identifier)\n" })
        }
    }

    @Test("exits 0 if the proxy is ready, else 1 with the last reason", arguments: EventLoopKind.allCases)
    func probe(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("admin.sock")
            let application = try stage.application(.echo)
            let settings = SettingsFile(
                listeners: [.inbound(to: application.address)],
                extra: "admin: {bind: \"127.0.0.1:0\", socket: {path: \"\(path)\"}}")
            let proxy = try stage.proxy(settings)
            func wait(_ words: String...) throws -> (ProcessExit?, String) {
                let result = try PosternBinary.run(["await", "--ready"] + words, in: stage.folder)
                return (result.exit, result.errors)
            }
            #expect(try wait("--admin", "\(proxy.adminAddress())", "--timeout", "0s").0 == .code(0))
            #expect(try wait("--admin", path).0 == .code(0))
            // Port 0 is nowhere to ask, so its socket is.
            #expect(try wait("--config", proxy.path).0 == .code(0))
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(client.echoes("hello\n"))
            proxy.process.signal(15)
            try proxy.logEvent("draining")
            let late = try wait("--admin", path, "--timeout", "100ms")
            #expect(late.0 == .code(1) && late.1 == "error: not ready within 100ms: draining\n", "\(late)")
            client.finish()
            #expect(proxy.process.awaitExit() == .code(0))
            let gone = try wait("--admin", path, "--timeout", "100ms", "--", "true")
            #expect(gone.0 == .code(1) && gone.1.contains("cannot be reached"), "\(gone)")
        }
    }

    @Test("one that hangs, and one that is no proxy, are not ready")
    func hostile() throws {
        let folder = try TemporaryFolder("e2e")
        let silent = try Application(
            .init {
                _ = try $0.receive(within: .seconds(60)); pauseMilliseconds(3_000)
            })
        let other = try Application(.init { try $0.send("220 mail.test ESMTP\r\n".utf8) })
        for (application, reason) in [(silent, "does not answer"), (other, "does not answer with HTTP")] {
            let start = ContinuousClock.now
            let result = try PosternBinary.run(
                ["await", "--ready", "--admin", "\(application.address)", "--timeout", "300ms"], in: folder)
            #expect(result.exit == .code(1) && result.errors.contains(reason), "\(result)")
            #expect(ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test("an answer is enough, also where the connection stays open", arguments: ["200", "503"])
    func open(status: String) throws {
        let folder = try TemporaryFolder("e2e")
        let server = try Application(
            .init {
                _ = try $0.receive(within: .seconds(60))
                try $0.send("HTTP/1.1 \(status) X\r\nContent-Length: 99\r\n\r\nnot ready: no SVID\nmore".utf8)
                _ = $0.awaitHangUp(within: .seconds(60))
            })
        let start = ContinuousClock.now
        let result = try PosternBinary.run(
            ["await", "--ready", "--admin", "\(server.address)", "--timeout", "0s"], in: folder)
        #expect(result.exit == .code(status == "200" ? 0 : 1))
        #expect(status == "200" || result.errors == "error: not ready within 0s: no SVID\n", "\(result.errors)")
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test("SIGTERM ends it, also as the first process of a container", arguments: [143, 1])
    func stopped(code: Int32) throws {
        // Such a process ignores the signal until it has a handler. Nothing listens on port 1.
        let again = code == 143 ? "while kill -TERM 1; do sleep 0.02; done &" : ""
        let process = try ChildProcess([
            "unshare", "--pid", "--fork", "--kill-child", "bash", "-c",
            "\(again) exec \"$0\" await --ready --admin 127.0.0.1:1 --timeout 1s", PosternBinary.path(),
        ])
        #expect(process.awaitExit(within: .seconds(20)) == .code(code), "\(process.standardError.text)")
    }

    @Test("wrong arguments, and a command that cannot be run, have exit codes of their own")
    func badInput() throws {
        try onStage(.epoll) { stage in
            func wait(_ words: String...) throws -> (ProcessExit?, String) {
                let result = try PosternBinary.run(["await"] + words, in: stage.folder)
                return (result.exit, result.errors)
            }
            #expect(try wait("--admin", "127.0.0.1:1").1.contains("say what to wait for: --ready"))
            #expect(try wait("--ready").1.contains("give one of --admin and --config"))
            let name = try wait("--ready", "--admin", "localhost:1")
            #expect(name.0 == .code(2) && name.1.contains("is no address of an admin endpoint"), "\(name)")
            let without = SettingsFile(listeners: [.inbound(to: try stage.application(.echo).address)], admin: true)
            let proxy = try stage.proxy(without)
            let nowhere = try wait("--ready", "--config", proxy.path)
            #expect(nowhere.0 == .code(2) && nowhere.1.contains("`admin.bind` or `admin.socket`"), "\(nowhere)")
            let address = "\(try proxy.adminAddress())"
            #expect(try wait("--ready", "--admin", address, "--", "no-such-program").0 == .code(127))
            #expect(try wait("--ready", "--admin", address, "--", stage.folder.path).0 == .code(126))
        }
    }
}
