import PosternTesting
import Settings
import Testing

@testable import Control

@Suite("Rules for ports that no peer connects to")
struct UnmatchedPortsTests {
    struct Sample: CustomTestStringConvertible {
        let testDescription: String
        var bind = "0.0.0.0:15443"
        var listener = ""
        var ports = "[8080]"
        var other = ""
        /// The end of the warning, if there is one.
        var warning: String?
    }

    @Test("are warned of, where all listeners with the policy have ports of their own", arguments: samples)
    func warning(_ sample: Sample) throws {
        let text = """
            identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
            listeners:
              - name: in
                mode: inbound
                bind: "\(sample.bind)"
                \(sample.listener)
                routes:
                  - name: app
                    upstream: {builtin: echo}
                    policy: p
            \(sample.other)
            policies:
              p:
                rules:
                  - {name: peers, action: allow, identities: ["spiffe://a.test/**"]}
                  - {name: r, action: deny, identities: ["spiffe://a.test/b"], destinationPorts: \(sample.ports)}
            """
        let outcome = Settings.parse(text: Array(text.utf8), file: "a.yaml")
        let warnings = UnmatchedPorts.warnings(try #require(outcome.settings, "\(outcome.flaws)"), outcome.sources)
        #expect(
            warnings.map(\.description)
                == (sample.warning.map {
                    [
                        "a.yaml:10:17: warning: the rule `r` of the policy `p` never matches: it names "
                            + "`destinationPorts`, and \($0); only a transparent listener sees other ports"
                    ]
                } ?? []))
    }

    private static let samples = [
        Sample(
            testDescription: "the application's port",
            warning: "the peers here connect to the listener's own port, 15443"),
        Sample(testDescription: "a Unix socket", bind: "unix:/a.sock", warning: "a Unix socket has none"),
        Sample(testDescription: "the listener's port", ports: "[8080, 15000-15999]"),
        Sample(testDescription: "a transparent listener", listener: "transparent: redirect"),
        Sample(testDescription: "a port that the kernel picks", bind: "0.0.0.0:0"),
        Sample(
            testDescription: "another listener's port",
            other: "  - {name: b, mode: inbound, bind: 0.0.0.0:8080, routes: "
                + "[{name: app, upstream: {builtin: echo}, policy: p}]}"),
    ]
}
