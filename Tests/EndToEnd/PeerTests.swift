import Loopback
import PosternTesting
import Testing

/// Peers that nobody here wrote, on either side.
@Suite("Peers")
struct PeerTests {
    @Test("HAProxy interoperates as TLS client", arguments: EventLoopKind.allCases)
    func haproxyClient(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            let haproxy = stage.keep(
                try HAProxyPeer(.client(to: inbound.address("in")), as: .client, folder: stage.folder))
            try expectEcho(through: haproxy.address)
            #expect(try inbound.accessLine { $0.bytesToUpstream > 0 }.decision == "allow")
        }
    }

    @Test("HAProxy with the wrong certificate does not reach the application", arguments: EventLoopKind.allCases)
    func haproxyStranger(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let inbound = try stage.inbound(to: application)
            let haproxy = stage.keep(
                try HAProxyPeer(.client(to: inbound.address("in")), as: .stranger, folder: stage.folder))
            let client = try TCPConnection.connect(to: haproxy.address)
            try client.send("must not arrive".utf8)
            #expect(client.awaitEnd() != .stillOpen)
            #expect(try inbound.accessLine { $0.reason == "policy-denied" }.bytesToUpstream == 0)
            #expect(application.acceptedCount == 0)
        }
    }

    @Test("HAProxy interoperates as TLS server", arguments: EventLoopKind.allCases)
    func haproxyServer(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let haproxy = stage.keep(
                try HAProxyPeer(.server(to: application.address), as: .server, folder: stage.folder))
            let outbound = try stage.outbound(to: haproxy.address)
            try expectEcho(through: outbound.address("out"))
            let line = try outbound.accessLine()
            #expect(line.reason == "finished")
            #expect(line.tlsVersion == "1.3")
        }
    }

    @Test("openssl s_server interoperates as TLS server", arguments: EventLoopKind.allCases)
    func opensslServer(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = stage.keep(try OpenSSLServer(as: .server, folder: stage.folder))
            let outbound = try stage.outbound(to: server.address)
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("stressed\n".utf8)
            #expect(try client.receive(exactly: 9) == Array("desserts\n".utf8))
            client.close()
            #expect(try outbound.accessLine().peerId == "spiffe://example.org/ns/default/sa/server")
        }
    }

    @Test("openssl s_client changes its key, and asks for ours", arguments: EventLoopKind.allCases)
    func keyUpdates(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            let client = try OpenSSLClient(
                to: inbound.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            var sent = "before\n"
            client.send(sent)
            #expect(client.receives(sent))
            for (round, command) in ["k", "K", "K", "k"].enumerated() {
                // s_client takes a line that begins so for a command; it says so once it has read it.
                client.send("\(command)\n")
                #expect(
                    eventually { client.process.standardError.text.ranges(of: "KEYUPDATE").count == round + 1 })
                let line = "\(round) after \(command)\n"
                client.send(line)
                sent += line
                #expect(client.receives(sent))
            }
            client.finish()
            #expect(try inbound.accessLine().reason == "finished")
        }
    }

    @Test("curl fetches a page over the pair", arguments: EventLoopKind.allCases)
    func curl(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let page = String(repeating: "<p>the guarded door</p>\n", count: 20_000)
            let (outbound, inbound) = try stage.pair(to: stage.application(.web(page)))
            let curl = try ChildProcess(["curl", "-sS", "-m", "10", "http://\(try outbound.address("out"))/"])
            #expect(curl.awaitExit() == .code(0))
            #expect(curl.standardOutput.text == page)
            #expect(try inbound.accessLine().bytesFromUpstream > page.utf8.count)
        }
    }

    private func expectEcho(through address: SocketAddress, _ location: SourceLocation = #_sourceLocation) throws {
        let client = try TCPConnection.connect(to: address)
        let message = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let writer = BackgroundThread {
            try? client.send(message)
            client.finishSending()
        }
        #expect(try client.receiveToEnd() == message, sourceLocation: location)
        writer.join()
    }

    @Test(
        "clients that ask for short records get every byte in them", arguments: EventLoopKind.allCases,
        [512, 1024, 4096])
    func shortRecords(loop: EventLoopKind, recordBytes: Int) throws {
        try onStage(loop) { stage in
            // More than a buffer holds in so short records, in one go.
            let answer = (0..<700_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            let application = try stage.application(
                Application.Behaviour { connection in
                    _ = try connection.receive(within: .seconds(30))
                    try connection.send(answer, within: .seconds(60))
                })
            let proxy = try stage.inbound(to: application)
            let openssl = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder,
                options: ["-maxfraglen", "\(recordBytes)"])
            openssl.send("go\n")
            #expect(openssl.process.standardOutput.awaitBytes(answer.count, within: .seconds(30)) == answer)
            openssl.process.stop()

            let address = try proxy.address("in")
            let gnutls = try ChildProcess([
                "gnutls-cli", "127.0.0.1", "-p", "\(address.port)", "--recordsize", "\(recordBytes)",
                "--no-ca-verification", "--logfile", stage.folder.file("gnutls.log"), "--x509certfile",
                stage.folder.file("client.pem"), "--x509keyfile", stage.folder.file("client.key"),
            ])
            gnutls.write(Array("go\n".utf8))
            #expect(gnutls.standardOutput.awaitBytes(answer.count, within: .seconds(30)) == answer)
            gnutls.stop()
            for line in try proxy.accessLines(2) { #expect(line.bytesFromUpstream >= answer.count) }
        }
    }
}
