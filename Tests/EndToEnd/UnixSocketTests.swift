import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// Listeners on Unix sockets, used by curl, which nobody here wrote, as several users of this host.
@Suite("A listener on a Unix socket")
struct UnixSocketTests {
    /// An outbound listener at `path`, whose peer serves a page.
    private func outbound(_ path: String, _ stage: Stage, workers: Int = 1) throws -> SettingsFile {
        let inbound = try stage.inbound(to: stage.application(.web("hello")))
        return SettingsFile(
            role: .client, listeners: [.outbound(to: try inbound.address("in"), bind: "unix:\(path)")],
            workers: workers)
    }

    @Test(
        "carries a local program's bytes to the peer, and its file goes with the proxy",
        arguments: EventLoopKind.allCases)
    func path(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("out.sock")
            let settings = try outbound(path, stage, workers: 2)
            let proxy = try stage.proxy(settings)
            #expect(try permissions(path) == 0o600)
            // Several, so that each worker has its turn.
            for _ in 0..<8 { #expect(try curl(["--unix-socket", path]) == "hello") }
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect(
                line.source == "unix:" && line.callerUser == Int(getuid()) && line.callerProcess ?? 0 > 0, "\(line)")
            // A second proxy does not take a socket that someone listens on.
            let second = try stage.start(settings)
            #expect(second.process.awaitExit() == .code(2))
            #expect(second.process.standardError.text.contains("another process listens on it"))
            #expect(try curl(["--unix-socket", path]) == "hello")
            proxy.process.signal(SIGTERM)
            #expect(eventually { !FileManager.default.fileExists(atPath: path) })
        }
    }

    @Test("takes the place of a dead process's socket, and of nothing else", arguments: EventLoopKind.allCases)
    func stale(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("out.sock")
            let settings = try outbound(path, stage)
            let first = try ChildProcess(["python3", "-c", "import socket; socket.socket(1).bind('\(path)')"])
            #expect(first.awaitExit() == .code(0) && FileManager.default.fileExists(atPath: path))
            let second = try stage.proxy(settings)
            #expect(try curl(["--unix-socket", path]) == "hello")
            _ = second.process.stop()
            try Data("precious".utf8).write(to: URL(filePath: path))
            let third = try stage.start(settings)
            #expect(third.process.awaitExit() == .code(2))
            #expect(third.process.standardError.text.contains("a file that is no socket is there"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        }
    }

    @Test(
        "of several that start at once over a dead process's socket, one gets it and the others say so",
        arguments: EventLoopKind.allCases)
    func race(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("out.sock")
            let settings = try outbound(path, stage)
            let dead = try ChildProcess(["python3", "-c", "import socket; socket.socket(1).bind('\(path)')"])
            #expect(dead.awaitExit() == .code(0))
            let proxies = try (0..<5).map { _ in try stage.start(settings) }
            #expect(eventually { proxies.count { !$0.process.isRunning } == 4 })
            #expect(try curl(["--unix-socket", path]) == "hello")
            for proxy in proxies where !proxy.process.isRunning {
                #expect(proxy.process.awaitExit() == .code(2))
                #expect(proxy.process.standardError.text.contains("another process listens on it"))
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: stage.folder.path)
            #expect(!left.contains { $0.hasPrefix(".") }, "\(left)")
        }
    }

    @Test("is made anew by SIGHUP if somebody removed its file", arguments: EventLoopKind.allCases)
    func removed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("out.sock")
            let settings = try outbound(path, stage, workers: 2)
            let proxy = try stage.proxy(settings)
            #expect(try curl(["--unix-socket", path]) == "hello")
            try FileManager.default.removeItem(atPath: path)
            #expect(try curl(["--unix-socket", path]) == nil)
            proxy.process.signal(SIGHUP)
            try proxy.awaitReload()
            for _ in 0..<4 { #expect(try curl(["--unix-socket", path]) == "hello") }
            #expect(try permissions(path) == 0o600)
            proxy.process.signal(SIGTERM)
            #expect(eventually { !FileManager.default.fileExists(atPath: path) })
        }
    }

    @Test(
        "an application whose queue is full is waited for, and is not taken out of service",
        arguments: EventLoopKind.allCases)
    func fullQueue(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("application.sock")
            let script = try stage.folder.write(
                """
                import socket, sys, threading
                listener = socket.socket(socket.AF_UNIX)
                listener.bind("\(path)")
                listener.listen(0)
                callers = []
                try:
                    while True:
                        caller = socket.socket(socket.AF_UNIX)
                        caller.setblocking(False)
                        caller.connect("\(path)")
                        callers.append(caller)
                except BlockingIOError:
                    print("full", flush=True)
                sys.stdin.readline()
                for caller in callers: caller.close()
                def echo(connection):
                    while data := connection.recv(65536): connection.sendall(data)
                    connection.close()
                while True:
                    threading.Thread(target=echo, args=listener.accept()[:1], daemon=True).start()

                """, to: "application.py")
            let application = stage.keep(try ChildProcess(["python3", script]))
            #expect(application.standardOutput.awaitLine { $0 == "full" ? true : nil } == true)
            let upstream = "{endpoints: [\"unix:\(path)\"], health: {failures: 1}}"
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound("in", upstream: upstream)]))
            let clients = try (0..<3).map { _ in
                try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            }
            for client in clients { client.send("hello\n") }
            #expect(!clients[0].receives("hello\n", within: .milliseconds(300)))
            application.write(Array("\n".utf8))
            for client in clients {
                #expect(client.receives("hello\n"))
                client.finish()
                _ = client.process.awaitExit()
            }
            let lines = try proxy.accessLines(3)
            #expect(lines.allSatisfy { $0.reason == "finished" && $0.attempts == nil }, "\(lines)")
            #expect(!proxy.process.standardError.text.contains("out of service"))
        }
    }

    @Test(
        "an application whose queue stays full has as much time as a dial may take", arguments: EventLoopKind.allCases)
    func queueStaysFull(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("application.sock")
            let script = try stage.folder.write(
                """
                import socket, time
                listener = socket.socket(socket.AF_UNIX)
                listener.bind("\(path)")
                listener.listen(0)
                caller = socket.socket(socket.AF_UNIX)
                caller.connect("\(path)")
                print("full", flush=True)
                time.sleep(600)

                """, to: "application.py")
            let application = stage.keep(try ChildProcess(["python3", script]))
            #expect(application.standardOutput.awaitLine { $0 == "full" ? true : nil } == true)
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [.inbound("in", upstream: "{endpoints: [\"unix:\(path)\"]}")],
                    limits: ["connectTimeout": "300ms"]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            let line = try proxy.accessLine()
            #expect(line.reason == "connect-timeout" && line.durationMs >= 300, "\(line)")
            _ = client.process.awaitExit()
        }
    }

    @Test(
        "admits the users and groups that it names, and no other, also after a change",
        arguments: EventLoopKind.allCases)
    func callers(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let name = "postern-test-\(UInt64.random(in: 0 ... .max))"
            let inbound = try stage.inbound(to: stage.application(.web("hello")))
            func settings(_ callers: String) throws -> SettingsFile {
                var listener = SettingsFile.Listener.outbound(to: try inbound.address("in"), bind: "unix:@\(name)")
                listener.text += "\n    callers: {\(callers)}"
                return SettingsFile(role: .client, listeners: [listener])
            }
            let proxy = try stage.proxy(settings("users: [daemon, 12345], groups: [games]"))
            func answer(_ user: String, _ group: String, _ others: String? = nil) throws -> String? {
                let groups = others.map { ["--groups", $0] } ?? ["--clear-groups"]
                return try curl(
                    ["--abstract-unix-socket", name], as: ["setpriv", "--reuid", user, "--regid", group] + groups)
            }
            #expect(try answer("daemon", "nogroup") == "hello")
            #expect(try answer("12345", "nogroup") == "hello")
            #expect(try answer("nobody", "games") == "hello")
            #expect(try answer("nobody", "nogroup", "games") == "hello")
            #expect(try answer("nobody", "nogroup") == nil)
            let denied = try proxy.accessLine { $0.reason == "policy-denied" }
            #expect(denied.callerUser == 65_534 && denied.decision == "deny")
            #expect(denied.detail == "neither user 65534 nor a group of it is among the listener's callers")
            // Root is no exception.
            #expect(try answer("root", "root") == nil)
            try proxy.reload(settings("users: [nobody]"), in: stage.folder)
            #expect(try answer("nobody", "nogroup") == "hello" && answer("daemon", "nogroup") == nil)
        }
    }

    @Test("may have its application behind another one", arguments: EventLoopKind.allCases)
    func endpoint(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let path = stage.folder.file("application.sock")
            let name = "postern-application-\(UInt64.random(in: 0 ... .max))"
            let settings = try stage.folder.write(
                """
                defaults
                    mode http
                    timeout connect 5s
                    timeout client 60s
                    timeout server 60s
                frontend application
                    bind unix@\(path)
                    http-request return status 200 content-type text/plain string "served"

                """, to: "application.cfg")
            let application = stage.keep(try ChildProcess(["haproxy", "-db", "-f", settings]))
            // HAProxy's abstract names fill the whole address: it shares them with nobody.
            let script = try stage.folder.write(
                """
                import socket
                listener = socket.socket(socket.AF_UNIX)
                listener.bind("\\0\(name)")
                listener.listen()
                print("serving", flush=True)
                while True:
                    connection, _ = listener.accept()
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nserved")
                    connection.close()

                """, to: "application.py")
            let other = stage.keep(try ChildProcess(["python3", script]))
            #expect(other.standardOutput.awaitLine { $0 == "serving" ? true : nil } == true)
            #expect(eventually { FileManager.default.fileExists(atPath: path) }, "\(application.standardError.text)")
            for endpoint in ["unix:\(path)", "unix:@\(name)"] {
                let inbound = try stage.proxy(
                    SettingsFile(listeners: [.inbound("in", upstream: "{endpoints: [\"\(endpoint)\"]}")]))
                let socket = stage.folder.file("out.sock")
                let outbound = try stage.proxy(
                    SettingsFile(
                        role: .client, listeners: [.outbound(to: try inbound.address("in"), bind: "unix:\(socket)")]))
                #expect(try curl(["--unix-socket", socket]) == "served")
                let line = try inbound.accessLine { $0.reason == "finished" }
                #expect(line.upstream == endpoint, "\(line)")
                outbound.process.stop()
            }
            application.signal(SIGKILL)
            _ = application.awaitExit()
            let inbound = try stage.proxy(
                SettingsFile(listeners: [.inbound("in", upstream: "{endpoints: [\"unix:\(path)\"]}")]))
            let client = try OpenSSLClient(to: inbound.address("in"), as: .client, folder: stage.folder)
            #expect(try inbound.accessLine { $0.reason == "upstream-unreachable" }.detail?.contains("refused") == true)
            _ = client.process.awaitExit()
        }
    }

    @Test("has the mode, owner and group that the settings name")
    func access() throws {
        try onStage(.epoll) { stage in
            let path = stage.folder.file("out.sock")
            var listener = SettingsFile.Listener.outbound(to: SocketAddress(port: 1), bind: "unix:\(path)")
            listener.text += "\n    socket: {mode: \"0660\", user: daemon, group: 60}"
            let proxy = try stage.proxy(SettingsFile(role: .client, listeners: [listener]))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(try permissions(path) == 0o660)
            #expect(attributes[.ownerAccountID] as? Int == 1 && attributes[.groupOwnerAccountID] as? Int == 60)
            // A change of them takes effect at once.
            listener = SettingsFile.Listener.outbound(to: SocketAddress(port: 1), bind: "unix:\(path)")
            listener.text += "\n    socket: {mode: \"0640\"}"
            try proxy.reload(SettingsFile(role: .client, listeners: [listener]), in: stage.folder)
            let changed = try FileManager.default.attributesOfItem(atPath: path)
            #expect(try permissions(path) == 0o640)
            #expect(changed[.ownerAccountID] as? Int == Int(getuid()))
            // A change that cannot be made opens the socket to nobody.
            listener.text = listener.text.replacing("mode: \"0640\"", with: "mode: \"0666\"")
            listener.text += "\n    callers: {users: [daemon]}"
            var flawed = SettingsFile(role: .client, listeners: [listener])
            flawed.listeners.append(
                .outbound("other", to: SocketAddress(port: 1), bind: "unix:\(stage.folder.path)/missing/out.sock"))
            try proxy.replace(flawed.text(loop: .epoll), in: stage.folder)
            try proxy.awaitLog(containing: "reload refused")
            #expect(try permissions(path) == 0o640)
            let left = try FileManager.default.contentsOfDirectory(atPath: stage.folder.path)
            #expect(!left.contains { $0.hasPrefix(".") }, "\(left)")
        }
    }

    /// What the web server behind the proxies says; nil if the connection fails.
    private func curl(_ options: [String], as prefix: [String] = []) throws -> String? {
        let process = try ChildProcess(
            prefix + ["curl", "--silent", "--max-time", "10"] + options + ["http://application/"])
        return process.awaitExit() == .code(0) ? process.standardOutput.text : nil
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
}
