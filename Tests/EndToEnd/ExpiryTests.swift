import Loopback
import Authority
import PosternTesting
import Testing

/// Connections whose peer's certificate expires; the clients are `openssl s_client`.
@Suite("The end of a certificate")
struct ExpiryTests {
    @Test(
        "an idle connection ends at its first pause of a second, a busy one after the grace period, a renewed one not at all",
        arguments: EventLoopKind.allCases)
    func quiet(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, identities) = try scene(stage, lifetime: ["expiryGrace: 4s"])
            try identities.issue("idle", TestIdentities.clientPath, validity: .seconds(8), serialNumber: [1, 1])
            try identities.issue("busy", TestIdentities.clientPath, validity: .seconds(8), serialNumber: [1, 2])
            let began = ContinuousClock.now
            let idle = try OpenSSLClient(to: proxy.address("in"), named: "idle", folder: stage.folder)
            let busy = try OpenSSLClient(to: proxy.address("in"), named: "busy", folder: stage.folder)
            let renewed = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(idle.echoes("one\n") && busy.echoes("two\n") && renewed.echoes("three\n"))
            let talk = BackgroundThread { [process = busy.process] in
                while process.isRunning {
                    process.write(Array("talk\n".utf8))
                    pauseMilliseconds(200)
                }
            }
            let first = try proxy.accessLine(within: .seconds(20)) { $0.reason == "certificate-expired" }
            #expect(first.peerSerial == "0101")
            #expect(ContinuousClock.now - began > .seconds(8))
            #expect(busy.process.isRunning)
            #expect(idle.process.awaitExit() == .code(1))
            let second = try proxy.accessLine(within: .seconds(20)) { $0.reason == "certificate-expired" }
            #expect(second.peerSerial == "0102")
            #expect(ContinuousClock.now - began > .seconds(11))
            _ = busy.process.awaitExit()
            talk.join()
            #expect(renewed.echoes("still here\n"))
            renewed.process.stop()
        }
    }

    @Test("expiry: close closes at once, and expiry: finish never", arguments: EventLoopKind.allCases)
    func closeAndFinish(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (strict, identities) = try scene(stage, lifetime: ["expiry: close"])
            let lenient = try scene(
                stage, lifetime: ["expiry: finish", "maxConnectionAge: 5s"], identities: identities
            ).proxy
            try identities.issue("brief", TestIdentities.clientPath, validity: .seconds(10))
            let one = try OpenSSLClient(to: strict.address("in"), named: "brief", folder: stage.folder)
            #expect(one.echoes("one\n"))
            #expect(try strict.accessLine(within: .seconds(20)).reason == "certificate-expired")
            let other = try OpenSSLClient(to: lenient.address("in"), named: "client", folder: stage.folder)
            #expect(other.echoes("still here\n"))
            #expect(try lenient.accessLine(within: .seconds(20)).reason == "max-connection-age")
        }
    }

    private func scene(
        _ stage: Stage, lifetime: [String], identities given: LivingIdentities? = nil
    ) throws -> (proxy: ProxyUnderTest, identities: LivingIdentities) {
        // Another authority would overwrite the files of a proxy that runs by them.
        let identities = try given ?? LivingIdentities(stage.folder)
        if given == nil { try identities.issue("client", TestIdentities.clientPath) }
        let application = try stage.application(.echo)
        var listener = SettingsFile.Listener.inbound(to: application.address)
        for key in lifetime { listener.text += "\n    \(key)" }
        return (try stage.proxy(SettingsFile(listeners: [listener])), identities)
    }
}
