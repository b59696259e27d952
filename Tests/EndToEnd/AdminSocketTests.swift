import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// The Unix socket of the admin endpoint, asked by curl, as an application's container would.
@Suite("The admin endpoint's Unix socket")
struct AdminSocketTests {
    @Test("is there beside TCP, with its mode, and goes with the proxy", arguments: EventLoopKind.allCases)
    func both(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, path) = try Self.proxy(stage, bind: "127.0.0.1:0", more: ", mode: \"0660\"")
            #expect(try Self.ask(path, "/readyz") == "ready\n 200")
            #expect(try proxy.ask("/readyz") == "ready\n 200")
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? Int) == 0o660)
            // Over TCP it only answers.
            #expect(try proxy.ask("/quit", options: ["-X", "POST"]).hasSuffix("403"))
            #expect(try proxy.ask("/drain", options: ["-X", "POST"]).hasSuffix("403"))
            #expect(try Self.ask(path, "/quit").hasSuffix("405"))
            #expect(try Self.ask(path, "/quit", ["-X", "POST", "-H", "Origin: http://evil.test"]).hasSuffix("403"))
            #expect(try proxy.ask("/readyz").hasSuffix("200"))
            // Another proxy does not take it.
            let second = try stage.start(Self.settings(stage, "socket: {path: \"\(path)\"}"))
            #expect(second.process.awaitExit() == .code(2))
            #expect(second.process.standardError.text.contains("cannot listen on unix:\(path)"))
            #expect(try Self.ask(path, "/readyz").hasSuffix("200"))
            proxy.process.signal(SIGTERM)
            #expect(proxy.process.awaitExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test(
        "POST /quit ends a proxy with nothing open at once, whatever its drain delay", arguments: EventLoopKind.allCases
    )
    func quit(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, path) = try Self.proxy(stage, limits: ["drainDelay": "30s"])
            #expect(try Self.ask(path, "/quit", ["-X", "POST"]) == "ending\n 200")
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test(
        "POST /drain is as SIGTERM, which then is no second one; POST /quit shortens the delay",
        arguments: EventLoopKind.allCases)
    func drain(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, path) = try Self.proxy(stage, limits: ["drainDelay": "30s"])
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(client.echoes("before\n"))
            #expect(try Self.ask(path, "/drain", ["-X", "POST"]) == "draining\n 200")
            #expect(try Self.ask(path, "/readyz").hasSuffix("503"))
            let another = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(another.echoes("during\n"))
            another.finish()
            // As kubelet does after a preStop hook.
            pauseMilliseconds(1_100)
            proxy.process.signal(SIGTERM)
            #expect(client.echoes("after\n"))
            #expect(try Self.ask(path, "/quit", ["-X", "POST"]).hasSuffix("200"))
            #expect(eventually { (try? TCPConnection.connect(to: proxy.address("in"))) == nil }, "still accepts")
            #expect(client.echoes("still\n"))
            client.finish()
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test("SIGHUP makes it anew if somebody removed its file", arguments: EventLoopKind.allCases)
    func renewed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, path) = try Self.proxy(stage, more: ", mode: \"0660\"")
            for _ in 0..<2 {
                try FileManager.default.removeItem(atPath: path)
                proxy.process.signal(SIGHUP)
                #expect(try eventually { try Self.ask(path, "/readyz") == "ready\n 200" })
            }
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? Int) == 0o660)
            #expect(try Self.ask(path, "/quit", ["-X", "POST"]) == "ending\n 200")
            #expect(proxy.process.awaitExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("changes over TCP are taken where the settings allow them", arguments: EventLoopKind.allCases)
    func allowed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let settings = try Self.settings(stage, "bind: \"127.0.0.1:0\", allowChanges: true")
            let proxy = try stage.proxy(settings)
            #expect(try proxy.ask("/quit", options: ["-X", "POST", "-H", "Origin: null"]).hasSuffix("403"))
            #expect(try proxy.ask("/quit", options: ["-X", "POST"]).hasSuffix("200"))
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    // MARK: Private

    private static func settings(
        _ stage: Stage, _ admin: String, limits: [String: String] = [:]
    ) throws -> SettingsFile {
        SettingsFile(
            listeners: [.inbound(to: try stage.application(.echo).address)], limits: limits, extra: "admin: {\(admin)}")
    }

    private static func proxy(
        _ stage: Stage, bind: String? = nil, more: String = "", limits: [String: String] = [:]
    ) throws -> (ProxyUnderTest, path: String) {
        let path = stage.folder.file("admin.sock")
        let admin = "\(bind.map { "bind: \"\($0)\", " } ?? "")socket: {path: \"\(path)\"\(more)}"
        return (try stage.proxy(settings(stage, admin, limits: limits)), path)
    }

    /// The body and the status of an answer.
    private static func ask(_ socket: String, _ path: String, _ options: [String] = []) throws -> String {
        let curl = try ChildProcess(
            ["curl", "-s", "-m", "5", "-w", " %{http_code}", "--unix-socket", socket] + options
                + ["http://localhost\(path)"])
        _ = curl.awaitExit()
        return curl.standardOutput.text
    }
}
