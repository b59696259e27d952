import Loopback
import PosternTesting
import Testing

/// Endpoints that are checked.
@Suite("Checks of endpoints")
struct EndpointCheckTests {
    @Test(
        "an endpoint that fails its checks is out of service before a connection tries it, and returns with a good one",
        arguments: EventLoopKind.allCases)
    func connects(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let nobody = SocketAddress(port: try TCPListener.freePort())
            let upstream = """
                {endpoints: ["\(nobody)", "\(application.address)"], balance: first, \
                health: {failures: 2, ejectFor: 1s, check: {every: 200ms}}}
                """
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound("in", upstream: upstream)]))
            let event = try proxy.logEvent("endpoint is out of service")
            #expect(event["endpoint"] as? String == "\(nobody)")
            #expect(event["reason"] as? String == "Connection refused")
            try expectStillServes(proxy, stage)
            #expect(try proxy.accessLine().attempts == nil)
            let late = try stage.keep(Application(.echo, bind: nobody))
            try proxy.logEvent("endpoint is back in service")
            let served = try eventually {
                try expectStillServes(proxy, stage)
                return try proxy.accessLine().upstream == "\(late.address)"
            }
            #expect(served)
        }
    }

    @Test(
        "a check by TLS finds a server that accepts connections and has not the expected identity",
        arguments: EventLoopKind.allCases)
    func handshakes(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, plain) = try stage.outboundWithPlainServer(
                "health: {failures: 2, check: {every: 200ms, kind: tls}}")
            let event = try proxy.logEvent("endpoint is out of service")
            #expect(event["endpoint"] as? String == "\(plain.address)")
            for _ in 0..<4 {
                let client = try TCPConnection.connect(to: proxy.address("out"))
                try client.send("hello".utf8)
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                client.close()
            }
            #expect(try proxy.accessLines(4).allSatisfy { $0.attempts == nil })
        }
    }

    @Test(
        "a check by TLS ends in order, and finds a server that refuses the certificate of this side after the handshake",
        arguments: EventLoopKind.allCases)
    func refusals(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: discard}")])
            let trusting = try stage.proxy(settings)
            settings.partnerBundle = ""
            let refusing = try stage.proxy(settings)
            let endpoints = try [refusing, trusting].map { try "\($0.address("in"))" }
            let proxy = try stage.proxy(
                SettingsFile(
                    role: .partner,
                    listeners: [
                        .outbound(
                            "out", endpoint: endpoints.joined(separator: "\", \""),
                            more: "health: {failures: 2, check: {every: 1s, kind: tls}}")
                    ]))
            let event = try proxy.logEvent("endpoint is out of service")
            #expect(event["endpoint"] as? String == endpoints[0])
            #expect((event["reason"] as? String)?.contains("alert") == true, "\(event)")
            #expect(try refusing.accessLine().reason == "certificate-refused")
            let line = try trusting.accessLine()
            #expect(line.reason == "finished" && line.peerId?.contains("partner.test") == true, "\(line)")
        }
    }
}
