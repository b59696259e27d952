import Foundation
import Loopback
import Authority
import PosternTesting
import Testing

/// Bundles of a federated trust domain from its bundle endpoint: nginx for https_web, openssl s_server for
/// https_spiffe.
@Suite("Federation")
struct FederationTests {
    @Test(
        "https_web: a bundle is polled, renewed, kept on failure, and withdrawn", arguments: EventLoopKind.allCases)
    func web(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            let next = try CertificateAuthority(trustDomain: "partner.test")
            let nginx = try stage.keep(BundleServer(stage.folder))
            try nginx.publish([partner], sequence: 5)
            try issue("old", by: partner, stage)
            try issue("new", by: next, stage)
            let proxy = try stage.proxy(
                settings(
                    "{url: \"https://localhost:\(nginx.port)/bundle.json\", profile: https_web, authorities: web.pem}"))
            try proxy.logEvent("bundle taken")
            let old = try OpenSSLClient(to: proxy.address("in"), named: "old", folder: stage.folder)
            #expect(old.echoes("one\n"))
            let early = try OpenSSLClient(to: proxy.address("in"), named: "new", folder: stage.folder)
            #expect(early.alertAtEnd() == 48)

            try nginx.publish([partner, next], sequence: 6)
            try proxy.logEvent("bundle taken") { $0["authorities"] as? Int == 2 }
            let new = try OpenSSLClient(to: proxy.address("in"), named: "new", folder: stage.folder)
            #expect(new.echoes("two\n") && old.echoes("three\n"))

            // An older, malformed or missing document changes nothing.
            try nginx.publish([], sequence: 4)
            try proxy.awaitLog(containing: "sequence 4 is lower than 6")
            try nginx.publish(text: "{\"keys\": [{\"use\": \"x509-svid\", \"kty\": \"EC\", \"x5c\": [\"!\"]}]}")
            try proxy.awaitLog(containing: "is not base64; the last good bundle stays in use")
            try nginx.publish(text: nil)
            try proxy.awaitLog(containing: "status 404; the last good bundle stays in use")
            #expect(new.echoes("four\n") && old.echoes("five\n"))

            try nginx.publish([next], sequence: 7)
            #expect(try proxy.accessLine { $0.reason == "bundle-removed" }.code == "unknown-authority")
            #expect(old.process.awaitExit() == .code(1))
            #expect(new.echoes("six\n"))
            let repeated = "{\"keys\": [], \"spiffe_sequence\": 8, \"keys\": []}"
            try nginx.publish(text: repeated)
            try proxy.awaitLog(containing: #"two members named \"keys\"; the last good bundle stays in use"#)
            try nginx.publish([], sequence: 8)
            try proxy.logEvent("the bundle has no X.509 authority, the trust domain is not trusted") {
                $0["trustDomain"] as? String == "partner.test"
            }
            #expect(try proxy.accessLine { $0.reason == "bundle-removed" }.code == "unknown-trust-domain")
            #expect(new.process.awaitExit() == .code(1))
        }
    }

    @Test("https_web: a certificate for another name, or of an unknown authority, is refused")
    func webRefused() throws {
        try onStage(.epoll) { stage in
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            let nginx = try stage.keep(BundleServer(stage.folder))
            try nginx.publish([partner], sequence: 1)
            let address = "\(nginx.port)/bundle.json\", profile: https_web"
            let named = try stage.proxy(settings("{url: \"https://127.0.0.1:\(address), authorities: web.pem}"))
            try named.awaitLog(containing: "IP address mismatch; the trust domain is not trusted")
            let unknown = try stage.proxy(settings("{url: \"https://localhost:\(address)}"))
            try unknown.awaitLog(containing: "the server's certificate is refused")
        }
    }

    @Test(
        "https_spiffe: the endpoint is accepted with its own SPIFFE ID, and with no other",
        arguments: [
            "spiffe://partner.test/spire/server", "spiffe://partner.test/other",
        ])
    func spiffe(id: String) throws {
        try onStage(.epoll) { stage in
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            try stage.folder.write(partner.bundlePEM, to: "endpoint.pem")
            let served = try partner.issue(path: "/spire/server")
            try stage.folder.write(served.chainPEM, to: "spire.pem")
            try stage.folder.write(served.privateKeyPEM, to: "spire.key")
            try stage.folder.write(BundleServer.document([partner], sequence: 1), to: "bundle.json")
            try issue("client", by: partner, stage)
            let port = try TCPListener.freePort()
            let server = try stage.keep(
                ChildProcess(
                    [
                        "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", stage.folder.file("spire.pem"),
                        "-key", stage.folder.file("spire.key"), "-WWW",
                    ], in: stage.folder.path))
            #expect(server.standardOutput.awaitLine { $0.hasPrefix("ACCEPT") ? true : nil } != nil)
            let proxy = try stage.proxy(
                settings(
                    "{url: \"https://127.0.0.1:\(port)/bundle.json\", profile: https_spiffe, endpointID: \"\(id)\", "
                        + "bundle: endpoint.pem}"))
            if id.hasSuffix("/other") {
                try proxy.awaitLog(containing: "identity-not-expected")
            } else {
                // It is the bundle that the file had, which counts until the first answer.
                let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
                #expect(client.echoes("one\n"))
                let renewed = try CertificateAuthority(trustDomain: "partner.test")
                try stage.folder.write(BundleServer.document([partner, renewed], sequence: 2), to: "bundle.json")
                try proxy.logEvent("bundle taken") { $0["authorities"] as? Int == 2 }
                #expect(client.echoes("two\n"))
                client.process.stop()
            }
            server.stop()
        }
    }

    @Test("an endpoint that the settings no longer name is trusted no more, from that very reload on")
    func removed() throws {
        try onStage(.epoll) { stage in
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            let nginx = try stage.keep(BundleServer(stage.folder))
            try nginx.publish([partner], sequence: 1)
            try issue("partner", by: partner, stage)
            var settings = settings(
                "{url: \"https://localhost:\(nginx.port)/bundle.json\", profile: https_web, authorities: web.pem}")
            let proxy = try stage.proxy(settings)
            try proxy.logEvent("bundle taken")
            let client = try OpenSSLClient(to: proxy.address("in"), named: "partner", folder: stage.folder)
            #expect(client.echoes("one\n"))
            settings.identityExtra = ""
            try proxy.reload(settings, in: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "bundle-removed" }.code == "unknown-trust-domain")
            _ = client.process.awaitExit()
            let late = try OpenSSLClient(to: proxy.address("in"), named: "partner", folder: stage.folder)
            #expect(late.alertAtEnd() == 48)
        }
    }

    @Test("a bundle that nobody renews is stale in the end")
    func stale() throws {
        try onStage(.epoll) { stage in
            let partner = try CertificateAuthority(trustDomain: "partner.test")
            let nginx = try stage.keep(BundleServer(stage.folder))
            try nginx.publish([partner], sequence: 1)
            try issue("old", by: partner, stage)
            let proxy = try stage.proxy(
                settings(
                    "{url: \"https://localhost:\(nginx.port)/bundle.json\", profile: https_web, authorities: web.pem, "
                        + "staleAfter: 10s}"))
            try proxy.logEvent("bundle taken")
            let old = try OpenSSLClient(to: proxy.address("in"), named: "old", folder: stage.folder)
            #expect(old.echoes("one\n"))
            try nginx.publish(text: nil)
            #expect(try proxy.accessLine(within: .seconds(20)) { $0.reason == "bundle-removed" }.peerId != nil)
            try proxy.awaitLog(containing: "the bundle is stale")
            _ = old.process.awaitExit()
        }
    }

    private func issue(_ name: String, by authority: CertificateAuthority, _ stage: Stage) throws {
        let issued = try authority.issue(path: TestIdentities.clientPath)
        try stage.folder.write(issued.chainPEM, to: "\(name).pem")
        try stage.folder.write(issued.privateKeyPEM, to: "\(name).key")
    }

    private func settings(_ endpoint: String) -> SettingsFile {
        var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}")])
        settings.partnerBundle = ""
        settings.identityExtra = "  federation:\n    partner.test: \(endpoint)\n"
        return settings
    }
}

/// nginx with a bundle document, known as `localhost` by the authority in `web.pem`.
final class BundleServer {
    let port: UInt16
    private let folder: TemporaryFolder
    private let process: ChildProcess
    private let root: String

    init(_ folder: TemporaryFolder) throws {
        self.folder = folder
        port = try TCPListener.freePort()
        let authority = try CertificateAuthority(
            trustDomain: "web.test", request: AuthorityRequest(subjectAltNames: []))
        let issued = try authority.issue(LeafRequest().with { $0.subjectAltNames = [.dns("localhost")] })
        try folder.write(authority.bundlePEM, to: "web.pem")
        try folder.write(issued.chainPEM, to: "nginx.pem")
        try folder.write(issued.privateKeyPEM, to: "nginx.key")
        let root = folder.file("nginx")
        self.root = root
        try FileManager.default.createDirectory(atPath: "\(root)/www", withIntermediateDirectories: true)
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(root)/\($0);" }
        let settings = try folder.write(
            """
            daemon off; master_process off; pid \(root)/pid; error_log \(root)/error.log;
            events { worker_connections 64; }
            http {
              access_log off; \(paths.joined(separator: " "))
              server {
                listen 127.0.0.1:\(port) ssl; listen [::1]:\(port) ssl;
                ssl_certificate \(folder.file("nginx.pem")); ssl_certificate_key \(folder.file("nginx.key"));
                root \(root)/www;
              }
            }
            """, to: "nginx.conf")
        process = try ChildProcess(["nginx", "-p", root, "-c", settings])
        let port = port
        guard eventually({ (try? TCPConnection.connect(to: SocketAddress(port: port))) != nil }) else {
            throw HarnessFault.peerNotReady("nginx", log: process.standardError.text)
        }
    }

    deinit {
        process.stop()
        try? FileManager.default.removeItem(atPath: root)
    }

    func publish(_ authorities: [CertificateAuthority], sequence: Int) throws {
        try publish(text: Self.document(authorities, sequence: sequence))
    }

    /// Nil: there is none.
    func publish(text: String?) throws {
        let file = URL(fileURLWithPath: "\(root)/www/bundle.json")
        guard let text else { return try FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file, options: .atomic)
    }

    /// A SPIFFE bundle that asks to be polled each second.
    static func document(_ authorities: [CertificateAuthority], sequence: Int) -> String {
        let keys = authorities.map { authority in
            let certificate = Data(authority.certificateDER).base64EncodedString()
            return "{\"use\": \"x509-svid\", \"kty\": \"EC\", \"x5c\": [\"\(certificate)\"]}"
        }
        return
            "{\"keys\": [\(keys.joined(separator: ", "))], \"spiffe_sequence\": \(sequence), \"spiffe_refresh_hint\": 1}"
    }
}
