import Control
import Identity
import Policy
import Settings
import Testing

@Suite("The answer to explain, of a transparent listener")
struct TransparentAnswerTests {
    @Test(
        "route and reason of each destination",
        arguments: [
            ("out", "10.96.3.4:80", true, "mesh", nil), ("out", "[fd00::7]:80", true, "mesh", nil),
            ("out", "10.96.3.4:81", true, nil, nil), ("out", "192.0.2.1:80", true, nil, nil),
            ("out", "127.0.0.1:15001", false, nil, "loop"), ("out", "127.0.0.1:9901", false, nil, "loop"),
            ("in", "10.0.0.9:8080", true, "application", nil), ("in", "10.0.0.9:8081", false, "application", "policy"),
            ("in", "10.0.0.9:9901", false, nil, "loop"), ("in", "10.0.0.9:15001", false, nil, "loop"),
            ("strict", "192.0.2.1:80", false, nil, "no-route"),
        ] as [(String, String, Bool, String?, String?)])
    func cases(listener: String, destination: String, forwards: Bool, route: String?, reason: String?) throws {
        let question = Question(
            identity: try SPIFFEID(parsing: "spiffe://example.org/a"), source: .v4(0x0A00_0001),
            destination: try Endpoint(parsing: destination))
        let answer = try #require(Answer(to: question, listener: listener, settings: try settings()))
        #expect(answer.forwards == forwards && answer.route == route, "\(answer.text)")
        if let reason { #expect(answer.json.contains("\"reason\":\"\(reason)"), "\(answer.json)") }
        // Nobody takes what is passed through for protected.
        let isPassed = forwards && route == nil
        #expect(answer.json.contains(#""protected":false"#) == isPassed)
        #expect(answer.text.contains("without protection") == isPassed)
    }

    private func settings() throws -> Settings {
        let outcome = Settings.parse(
            text: Array(
                """
                identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: b.pem}}}
                admin: {bind: "127.0.0.1:9901"}
                listeners:
                  - name: in
                    mode: inbound
                    bind: 0.0.0.0:15006
                    transparent: redirect
                    routes: [{name: application, upstream: {original: true}, policy: p}]
                  - name: out
                    mode: outbound
                    bind: 127.0.0.1:15001
                    transparent: redirect
                    unmatched: passthrough
                    routes:
                      - &mesh
                        name: mesh
                        match: {destinations: [10.96.0.0/12, "fd00::/8"], destinationPorts: [80]}
                        upstream: {original: true, identities: ["spiffe://example.org/**"]}
                  - name: strict
                    mode: outbound
                    bind: 127.0.0.1:15002
                    transparent: redirect
                    routes: [*mesh]
                policies:
                  p:
                    rules:
                      - {name: r, action: allow, identities: ["spiffe://example.org/**"], destinationPorts: [8080]}
                """.utf8), file: "explained.yaml")
        return try #require(outcome.settings, "\(outcome.flaws)")
    }
}
