import Glibc
import Loopback
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
            var text = Self.settings.replacing("127.0.0.1:19000", with: "\(application.address)")
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
        try folder.write(settings, to: "postern.yaml")
        return folder
    }

    static let settings = """
        identity:
          files:
            certificate: svid.pem            # leaf first, then intermediates
            privateKey: svid.key
            trustBundles:
              example.org: bundle.pem        # one PEM file a trust domain
              partner.test: partner.pem
        admin:
          bind: 127.0.0.1:9901
        workers: 1                           # default: the CPU quota
        eventLoop: auto                      # auto | io_uring | epoll
        tls: {minVersion: "1.3", resumption: true}
        listeners:
          - name: orders
            mode: inbound                    # mTLS in, plaintext to the application
            bind: 127.0.0.1:15443
            routes:
              - name: orders                 # routes are tried in order; the first match wins
                match: {sni: [orders.internal]}        # optional: sni, alpn, destinationPorts
                upstream: {endpoints: ["127.0.0.1:19000"]}
                policy: orders-callers
          - name: to-orders
            mode: outbound                   # plaintext from the application, mTLS to the peer
            bind: 127.0.0.1:15001
            routes:
              - name: orders
                upstream:
                  endpoints: ["127.0.0.1:15443"]
                  sni: orders.internal
                  identities: ["spiffe://example.org/ns/default/sa/server"]   # whom we agree to talk to
          - name: target
            mode: inbound
            bind: 127.0.0.1:15444
            routes:
              - name: echo
                upstream: {builtin: echo}    # echo | discard | source: a load-test target needs no backend
                policy: anyone-trusted
        policies:
          orders-callers:
            mode: enforce                    # enforce | audit
            rules:
              - name: checkout
                action: allow                # allow | deny
                identities: ["spiffe://example.org/ns/default/sa/client"]
                sources: ["127.0.0.0/8"]     # optional
              - name: no-legacy
                action: deny
                identities: ["spiffe://example.org/ns/legacy/**"]
          anyone-trusted:
            rules:
              - {name: all, action: allow, identities: ["spiffe://*/**"]}
        limits:                              # every one has a default we would run ourselves
          connections: 10000
          handshakeTimeout: 5s
          concurrentHandshakes: 1024
          connectTimeout: 2s
          idleTimeout: 1h
          halfCloseTimeout: 60s
          drainTimeout: 30s
        """
}
