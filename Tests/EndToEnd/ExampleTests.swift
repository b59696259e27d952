import Glibc
import Loopback
import PosternTesting
import Testing

/// The settings that users are shown.
@Suite("The example settings")
struct ExampleTests {
    @Test("check accepts the example as written")
    func checked() throws {
        let folder = try Self.folder()
        let check = try PosternBinary.run(["check", "--config", "postern.yaml"], in: folder)
        #expect(check.exit == .code(0), "\(check.output)\(check.errors)")
    }

    @Test("the example runs as written, but for its ports and event loop", arguments: EventLoopKind.allCases)
    func runs(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let folder = try Self.folder()
            let application = try stage.application(.echo)
            var text = exampleSettings.replacing("127.0.0.1:19000", with: "\(application.address)")
                .replacing("eventLoop: auto", with: "eventLoop: \(loop.rawValue)")
            var ports: [String: SocketAddress] = [:]
            for written in ["127.0.0.1:15443", "127.0.0.1:15001", "127.0.0.1:15444", "127.0.0.1:9901"] {
                let free = SocketAddress(port: try TCPListener.freePort())
                ports[written] = free
                text = text.replacing(written, with: "\(free)")
            }
            try folder.write(text, to: "postern.yaml")
            let process = try ChildProcess(
                [try PosternBinary.path(), "run", "--config", "postern.yaml"], in: folder.path)
            defer { process.stop() }
            let isReady = process.standardError.awaitLine { $0.contains("\"ready\"") ? true : nil }
            try #require(isReady == true, "\(process.standardError.text)")

            let orders = try OpenSSLClient(
                to: #require(ports["127.0.0.1:15443"]), as: .client, folder: stage.folder,
                options: ["-servername", "orders.internal"])
            orders.send("an order\n")
            #expect(orders.receives("an order\n"))
            orders.process.stop()

            let target = try OpenSSLClient(
                to: #require(ports["127.0.0.1:15444"]), as: .partner, folder: stage.folder)
            target.send("a load test\n")
            #expect(target.receives("a load test\n"))
            target.process.stop()

            // The outbound listener presents the server's own identity, which the callers' policy does not name.
            let outbound = try TCPConnection.connect(to: #require(ports["127.0.0.1:15001"]))
            try outbound.send("an order".utf8)
            #expect(outbound.awaitEnd() != .stillOpen)
            #expect(
                process.standardOutput.awaitLine { $0.contains("\"policy-denied\"") ? true : nil } == true)
            #expect(application.acceptedCount == 1)
            process.signal(SIGTERM)
            #expect(process.awaitExit() == .code(0))
        }
    }

    /// A folder with the files that the example names.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder("example")
        try TestIdentities.shared.write(to: folder)
        for (from, to) in [
            ("server.pem", "svid.pem"), ("server.key", "svid.key"), ("partner-bundle.pem", "partner.pem"),
        ] {
            guard let text = ProcessFigures.read(folder.file(from)) else { continue }
            try folder.write(text, to: to)
        }
        try folder.write(exampleSettings, to: "postern.yaml")
        return folder
    }
}
