import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// Listening sockets that a service manager passes on (sd_listen_fds(3)).
@Suite("Socket activation")
struct SocketActivationTests {
    @Test(
        "the proxy is restarted under connecting clients, none of whom is refused",
        arguments: [(EventLoopKind.ioURing, 1), (.ioURing, 2), (.epoll, 2)])
    func restart(loop: EventLoopKind, workers: Int) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("second.sock")
            let settings = SettingsFile(
                listeners: [
                    .inbound("in", upstream: "{builtin: echo}"),
                    // By its address: the name is the unit's.
                    .inbound("second", upstream: "{builtin: echo}", bind: "unix:\(path)"),
                ], workers: workers)
            let file = try stage.folder.write(settings.text(loop: loop), to: "postern.yaml")
            let script = try #require(Bundle.module.path(forResource: "socket_activation", ofType: "py"))
            let manager = try ChildProcess([
                "python3", script, stage.folder.path, try PosternBinary.path(), file,
                "in=127.0.0.1:0", "postern.socket=\(path)",
            ])
            defer { manager.stop() }
            func answer(_ start: String) -> String {
                manager.standardOutput.awaitLine(within: .seconds(30)) { $0.hasPrefix(start) ? $0 : nil } ?? ""
            }
            try #require(answer("ready") == "ready", "\(manager.standardError.text)")
            for count in 1...2 {
                manager.write(Array("restart\n".utf8))
                let answered = eventually(within: .seconds(30)) {
                    manager.standardOutput.text.split(separator: "\n").count { $0 == "restarted 0 True" } == count
                }
                #expect(answered, "\(manager.standardOutput.text)\(manager.standardError.text)")
            }
            manager.write(Array("stop\n".utf8))
            #expect(answer("served") == "served True failures [] code 0", "\(manager.standardError.text)")
            #expect(manager.awaitExit() == .code(0))
            let log = manager.standardError.text
            #expect(log.split(separator: "\n").count { $0.contains("\"inherited\":\"true\"") } == 6, "\(log)")
            // The file is the service manager's.
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("systemd-socket-activate starts it for its first client", arguments: EventLoopKind.allCases)
    func systemd(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("app.sock")
            let inbound = try stage.inbound(to: stage.application(.echo))
            var listener = try SettingsFile.Listener.outbound("out", to: inbound.address("in"), bind: "unix:\(path)")
            listener.text += "\n    socket: {mode: \"0777\"}"
            var settings = SettingsFile(role: .client, listeners: [listener])
            let file = try stage.folder.write(settings.text(loop: loop), to: "activated.yaml")
            let proxy = try ChildProcess([
                "systemd-socket-activate", "--listen=\(path)", "--fdname=out", try PosternBinary.path(), "run",
                "--config", file,
            ])
            defer { proxy.stop() }
            #expect(eventually { FileManager.default.fileExists(atPath: path) })
            let script = """
                import socket, sys
                for word in (b"first", b"again"):
                    s = socket.socket(socket.AF_UNIX)
                    s.connect(sys.argv[1])
                    s.sendall(word)
                    print(s.recv(5).decode())
                """
            let client = try ChildProcess(["python3", "-c", script, path])
            #expect(client.awaitExit() == .code(0) && client.standardOutput.text == "first\nagain\n")
            // Without the listener its clients would wait for ever.
            settings.listeners = [try .outbound("other", to: inbound.address("in"))]
            let next = try stage.folder.write(settings.text(loop: loop), to: "next.yaml")
            try #require(unsafe rename(next, file) == 0)
            let refused = proxy.standardError.awaitLine { $0.contains("no listener would take it any more") ? $0 : nil }
            #expect(refused != nil, "\(proxy.standardError.text)")
            proxy.signal(SIGTERM)
            #expect(proxy.awaitExit() == .code(0))
        }
    }

    @Test("sockets that no listener wants, or that are not there, end the start", arguments: EventLoopKind.allCases)
    func unwanted(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}")])
            let file = try stage.folder.write(settings.text(loop: loop), to: "postern.yaml")
            for (count, says) in [("1", "no listening TCP"), ("9", "descriptor"), ("x", "LISTEN_FDS=x")] {
                let script = "exec 3</dev/null; LISTEN_FDS=\(count) LISTEN_PID=$$ exec \"$@\""
                let proxy = try ChildProcess(
                    ["sh", "-c", script, "-", try PosternBinary.path(), "run", "--config", file])
                #expect(proxy.awaitExit() == .code(2))
                #expect(proxy.standardError.text.contains(says), "\(proxy.standardError.text)")
            }
        }
    }
}
