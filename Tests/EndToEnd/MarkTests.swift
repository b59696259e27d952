import Authority
import Loopback
import PosternTesting
import Testing

/// In a network namespace whose firewall lets only marked connections out to some ports. It takes root and nft.
@Suite("The mark of what the proxy itself dials")
struct MarkTests {
    @Test("is on connections to a Workload API over TCP and to a bundle endpoint", arguments: EventLoopKind.allCases)
    func control(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let network = try stage.keep(Network())
            try network.nft(
                """
                table inet marks {
                    chain out {
                        type filter hook output priority 0;
                        tcp dport { 7001, 7002 } meta mark != 1337 reject with tcp reset
                    }
                }
                """, in: .pod)
            _ = try LivingIdentities(stage.folder)
            let agent = try stage.keep(
                WorkloadAPIServer(stage.folder, at: "127.0.0.1:7001", in: network.prefix(.pod)))
            try agent.hand(out: [
                WorkloadAPIServer.SVID(id: "spiffe://example.org/ns/default/sa/server", name: "server")
            ])
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            let served = try partner.issue(path: "/spire/server")
            try stage.folder.write(partner.bundlePEM, to: "endpoint.pem")
            try stage.folder.write(served.chainPEM, to: "spire.pem")
            try stage.folder.write(served.privateKeyPEM, to: "spire.key")
            let next = try CertificateAuthority(trustDomain: "partner.test")
            try stage.folder.write(BundleServer.document([partner, next], sequence: 1), to: "bundle.json")
            let endpoint = stage.keep(
                try network.start(
                    [
                        "openssl", "s_server", "-accept", "127.0.0.1:7002", "-cert", "spire.pem", "-key", "spire.key",
                        "-WWW",
                    ], in: .pod, folder: stage.folder.path))
            #expect(endpoint.standardOutput.awaitLine { $0.hasPrefix("ACCEPT") ? true : nil } != nil)

            var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}")])
            settings.identity = """
                identity:
                  workloadAPI: tcp://127.0.0.1:7001
                  federation:
                    partner.test:
                      url: "https://127.0.0.1:7002/bundle.json"
                      profile: https_spiffe
                      endpointID: spiffe://partner.test/spire/server
                      bundle: endpoint.pem
                """
            settings.extra = "mark: 1337"
            // It is ready once the Workload API has answered.
            let proxy = try stage.proxy(text: settings.text(loop: loop), in: network.prefix(.pod))
            try proxy.logEvent("bundle taken")
            // Without the mark neither is reached.
            try proxy.replace(settings.text(loop: loop).replacing("mark: 1337", with: ""), in: stage.folder)
            try proxy.awaitLog(containing: "cannot connect to 127.0.0.1:7002: Connection refused")
            try agent.endStreams()
            try proxy.awaitLog(containing: "cannot connect to tcp://127.0.0.1:7001")
            endpoint.stop()
        }
    }
}
