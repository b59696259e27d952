import Loopback
import PosternTesting
import Testing

/// Input to the mTLS port other than a valid handshake.
@Suite("Bad input")
struct BadInputTests {
    struct Garbage: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
    }

    private static let samples = [
        Garbage(testDescription: "zeros", bytes: [UInt8](repeating: 0, count: 4_096)),
        Garbage(testDescription: "ones", bytes: [UInt8](repeating: 0xff, count: 4_096)),
        Garbage(testDescription: "a line of SSH", bytes: Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)),
        Garbage(
            testDescription: "every byte value, many times", bytes: (0..<65_536).map { UInt8(truncatingIfNeeded: $0) }),
        Garbage(
            testDescription: "a record that claims 65,535 bytes",
            bytes: [22, 3, 1, 0xff, 0xff] + [UInt8](repeating: 1, count: 2_000)),
        Garbage(
            testDescription: "a hello that claims 16 MiB",
            bytes: [22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff]
                + [UInt8](repeating: 0, count: 0x4000 - 4)),
        Garbage(
            testDescription: "application data first", bytes: [23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32)),
        Garbage(testDescription: "an alert first", bytes: [21, 3, 3, 0, 2, 2, 40]),
        Garbage(
            testDescription: "an SSL 2 hello",
            bytes: [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10] + [UInt8](repeating: 1, count: 37)),
    ]

    @Test(
        "garbage ends its connection with a code, and no upstream is dialled", arguments: EventLoopKind.allCases,
        samples)
    func garbage(loop: EventLoopKind, garbage: Garbage) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let client = try TCPConnection.connect(to: proxy.address("in"))
            // The proxy may well have hung up before all of it was sent.
            try? client.send(garbage.bytes)
            #expect(client.awaitEnd() != .stillOpen)
            client.close()
            let line = try proxy.accessLine()
            #expect(line.reason == "handshake-failed")
            #expect(line.code?.isEmpty == false)
            #expect(application.acceptedCount == 0)
            try expectStillServes(proxy, stage)
        }
    }

    @Test("plaintext HTTP on the TLS port has its own code", arguments: EventLoopKind.allCases)
    func plaintextHTTP(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let curl = try ChildProcess(["curl", "-sS", "-m", "5", "http://\(try proxy.address("in"))/"])
            let exit = curl.awaitExit()
            #expect(exit != nil && exit != .code(0))
            let line = try proxy.accessLine()
            #expect(line.reason == "handshake-failed")
            #expect(line.code == "plaintext-http")
            #expect(application.acceptedCount == 0)
        }
    }

    @Test(
        "TLS 1.2 is turned away with protocol_version, unless the settings allow it", arguments: EventLoopKind.allCases)
    func oldVersion(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let strict = try stage.inbound(to: application)
            let refused = try OpenSSLClient(
                to: strict.address("in"), as: .client, folder: stage.folder, options: ["-tls1_2"])
            #expect(refused.alertAtEnd() == 70)
            #expect(try strict.accessLine().code == "tls-version")
            #expect(application.acceptedCount == 0)

            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.minimumVersion = "1.2"
            let lenient = try stage.proxy(settings)
            let allowed = try OpenSSLClient(
                to: lenient.address("in"), as: .client, folder: stage.folder, options: ["-tls1_2"])
            allowed.send("hello\n")
            #expect(allowed.receives("hello\n"))
            allowed.process.stop()
            #expect(try lenient.accessLine().tlsVersion == "1.2")
        }
    }

    @Test("a client that sends one byte per packet is served like any other", arguments: EventLoopKind.allCases)
    func byteByByte(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let relay = stage.keep(try Relay(to: proxy.address("in"), .byteByByte))
            let client = try OpenSSLClient(to: relay.address, as: .client, folder: stage.folder)
            client.send("one byte at a time\n")
            #expect(client.receives("one byte at a time\n"))
            client.process.stop()
            #expect(try proxy.accessLine().decision == "allow")
        }
    }

    @Test("a silent client is closed when the handshake times out", arguments: EventLoopKind.allCases)
    func silent(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application, limits: ["handshakeTimeout": "200ms"])
            let client = try TCPConnection.connect(to: proxy.address("in"))
            #expect(client.awaitEnd(within: .seconds(5)) != .stillOpen)
            #expect(try proxy.accessLine().reason == "handshake-timeout")
            // One that keeps sending a byte now and then gains nothing.
            let dripping = try TCPConnection.connect(to: proxy.address("in"))
            for byte: UInt8 in [22, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0] {
                guard (try? dripping.send([byte])) != nil else { break }
                pauseMilliseconds(25)
            }
            #expect(dripping.awaitEnd(within: .seconds(5)) != .stillOpen)
            #expect(try proxy.accessLine().reason == "handshake-timeout")
            #expect(application.acceptedCount == 0)
        }
    }
}

/// Expects a good client to be served.
func expectStillServes(
    _ proxy: ProxyUnderTest, _ stage: Stage, listener: String = "in", _ location: SourceLocation = #_sourceLocation
) throws {
    let client = try OpenSSLClient(to: proxy.address(listener), as: .client, folder: stage.folder)
    client.send("still here\n")
    #expect(client.receives("still here\n"), sourceLocation: location)
    client.process.stop()
}
