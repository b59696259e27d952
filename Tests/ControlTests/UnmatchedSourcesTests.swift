import PosternTesting
import Settings
import Testing

@testable import Control

@Suite("Rules by address for clients of a Unix socket")
struct UnmatchedSourcesTests {
    private static func warnings(_ bind: String, _ listener: String, _ rules: String) throws -> [SettingsFlaw] {
        let text = """
            identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
            listeners:
              - name: in
                mode: inbound
                bind: "\(bind)"
                \(listener)
                routes:
                  - name: app
                    upstream: {builtin: echo}
                    policy: p
            policies:
              p:
                rules:
                  - {name: peers, action: allow, identities: ["spiffe://a.test/**"]}
                  \(rules)
            """
        let outcome = Settings.parse(text: Array(text.utf8), file: "a.yaml")
        return UnmatchedSources.warnings(try #require(outcome.settings, "\(outcome.flaws)"), outcome.sources)
    }

    @Test(
        "are warned of, unless they mean every address",
        arguments: [
            ("unix:/a.sock", "10.0.0.0/8", true), ("unix:@a", "10.0.0.0/8", true), ("unix:/a.sock", "0.0.0.0/0", true),
            ("unix:/a.sock", "::/0", false), ("127.0.0.1:1", "10.0.0.0/8", false),
        ])
    func sources(bind: String, block: String, warns: Bool) throws {
        let rule = "- {name: far, action: deny, identities: [\"spiffe://a.test/b\"], sources: [\"\(block)\"]}"
        let warnings = try Self.warnings(bind, "", rule)
        #expect(warnings.count == (warns ? 1 : 0), "\(warnings)")
        guard let warning = warnings.first else { return }
        #expect(warning.position.line == 10 && warning.position.column == 17 && warning.severity == .warning)
        #expect(warning.message.hasPrefix("the rule `far` of the policy `p` never matches here"))
    }

    @Test(
        "leave no way in for plaintext on a permissive listener",
        arguments: [
            ("unix:/a.sock", "10.0.0.0/8", true), ("unix:/a.sock", "::/0", false), ("127.0.0.1:1", "10.0.0.0/8", false),
        ])
    func plaintext(bind: String, block: String, warns: Bool) throws {
        let warnings = try Self.warnings(
            bind, "clientCertificates: permissive",
            "- {name: old, action: allow, unauthenticated: true, sources: [\"\(block)\"]}")
        #expect(warnings.count == (warns ? 2 : 0), "\(warnings)")
        guard let warning = warnings.last else { return }
        #expect(warning.position.line == 6 && warning.position.column == 25)
        #expect(warning.message.hasPrefix("no client of plaintext is let in here"))
    }
}
