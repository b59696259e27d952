import PosternTesting
import Settings
import Testing

@testable import Control

@Suite("Ports of loopback that a route with original opens")
struct LoopbackExposureTests {
    @Test(
        "are warned of where neither the route nor the rule names any",
        arguments: [
            ("{}", "", true), ("{destinationPorts: [8080]}", "", false), ("{}", ", destinationPorts: [8080]", false),
        ])
    func warning(match: String, rule: String, warns: Bool) throws {
        let text = """
            identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
            listeners:
              - name: in
                mode: inbound
                bind: 0.0.0.0:15006
                transparent: redirect
                routes:
                  - {name: app, match: \(match), upstream: {original: true}, policy: p}
            policies:
              p:
                rules: [{name: peers, action: allow, identities: ["spiffe://a.test/**"]\(rule)}]
            """
        let outcome = Settings.parse(text: Array(text.utf8), file: "a.yaml")
        let settings = try #require(outcome.settings, "\(outcome.flaws)")
        let warnings = LoopbackExposure.warnings(settings, outcome.sources)
        #expect(warnings.count == (warns ? 1 : 0))
        guard let warning = warnings.first else { return }
        #expect(warning.position.line == 8 && warning.severity == .warning)
        #expect(warning.message.contains("`peers`") && warning.message.contains("every port of loopback"))
    }
}
