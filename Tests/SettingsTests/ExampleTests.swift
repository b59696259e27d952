import Identity
import Policy
import PosternTesting
import Settings
import Testing

@Suite("The example of the documentation")
struct ExampleTests {
    @Test("has no flaw, not even a warning")
    func isSound() {
        #expect(flaws(of: exampleSettings) == [])
        #expect(outcome(of: exampleSettings).settings != nil)
    }

    @Test("says of the process what it says")
    func process() throws {
        let settings = try #require(outcome(of: exampleSettings).settings)
        #expect(settings.admin?.bind?.description == "127.0.0.1:9901")
        #expect(settings.workers == 1)
        #expect(settings.eventLoop == .auto)
        #expect(settings.tls == TLSSettings(minVersion: .tls13, resumption: true))
        #expect(settings.accessLog == .standardOutput)
        #expect(settings.log == LogSettings())
        #expect(settings.limits == LimitSettings())
    }

    @Test("names its identity files with the places that name them")
    func identity() throws {
        let outcome = Settings.parse(text: Array(exampleSettings.utf8), file: "/etc/postern/p.yaml")
        guard case .files(let files) = try #require(outcome.settings).identity else { return }
        let sources = outcome.sources
        #expect(files.certificate == "/etc/postern/svid.pem")
        #expect(sources.certificate.description == "/etc/postern/p.yaml:3:18")
        #expect(files.privateKey == "/etc/postern/svid.key")
        #expect(files.trustBundles.map(\.trustDomain.name) == ["example.org", "partner.test"])
        #expect(files.trustBundles.map { sources.trustBundle(of: $0.trustDomain).line } == [6, 7])
        #expect(sources.privateKey.line == 4)
    }

    @Test("takes the certificate's file for the key's where none is named, and its place")
    func oneFile() throws {
        let text = exampleSettings.replacing(/\n *privateKey:.*/, with: "")
        #expect(text != exampleSettings)
        let outcome = Settings.parse(text: Array(text.utf8), file: "/etc/postern/p.yaml")
        guard case .files(let files) = try #require(outcome.settings, "\(outcome.flaws)").identity else { return }
        #expect(files.privateKey == "/etc/postern/svid.pem" && files.certificate == files.privateKey)
        #expect(outcome.sources.privateKey == outcome.sources.certificate)
        let flawed = Settings.parse(
            text: Array(exampleSettings.replacing(/privateKey:.*/, with: "privateKey: []").utf8), file: "p.yaml")
        #expect(flawed.settings == nil && flawed.flaws.first?.position.line == 4)
    }

    @Test("gives each listener its routes, and each inbound route its policy")
    func listeners() throws {
        let settings = try #require(outcome(of: exampleSettings).settings)
        #expect(settings.listeners.map(\.name) == ["orders", "to-orders", "target"])
        #expect(settings.listeners.map(\.mode) == [.inbound, .outbound, .inbound])
        #expect(settings.listeners.map(\.bind.endpoint?.port) == [15443, 15001, 15444])
        let routes = settings.listeners.flatMap(\.routes)
        #expect(routes.map(\.policyIndex) == [0, nil, 1])
        #expect(routes.map(\.match.serverNames.first?.description) == ["orders.internal", nil, nil])
        #expect(routes[0].upstream.target == .endpoints([.address(try Endpoint(parsing: "127.0.0.1:19000"))]))
        #expect(routes[1].upstream.serverName == "orders.internal")
        #expect(routes[1].upstream.identities.map(\.description) == ["spiffe://example.org/ns/default/sa/server"])
        #expect(routes[2].upstream.target == .builtin(.echo))
    }

    @Test("compiles its policies in the order of the file")
    func policies() throws {
        let settings = try #require(outcome(of: exampleSettings).settings)
        #expect(settings.policies.map(\.name) == ["orders-callers", "anyone-trusted"])
        #expect(settings.policies.map(\.mode) == [.enforce, .enforce])
        #expect(settings.policies[0].rules.map(\.name) == ["checkout", "no-legacy"])
        #expect(settings.policies[0].rules.map(\.action) == [.allow, .deny])
        #expect(settings.policies[0].rules[0].sources == [try CIDR(parsing: "127.0.0.0/8")])
        #expect(settings.policies[1].rules[0].identities.map(\.description) == ["spiffe://*/**"])
    }
}
