import Control
import Foundation
import Identity
import Policy
import Settings
import Testing

@Suite("The answer to explain")
struct AnswerTests {
    @Test(
        "decision, route and rule of each case",
        arguments: [
            ("app", "/ns/default/sa/client", "127.0.0.1", nil, true, "app", "allow", "all"),
            ("app", "/ns/legacy/sa/client", "127.0.0.1", nil, false, "app", "deny", "old"),
            ("app", "/ns/default/sa/client", "192.0.2.1", nil, false, "app", "deny", nil),
            ("app", "/ns/default/sa/client", "127.0.0.1", "special.test", true, "special", "would-deny", nil),
            ("app", "/none", "127.0.0.1", "special.test", true, "special", "allow", "none"),
            ("to-app", "/ns/default/sa/server", "127.0.0.1", nil, true, "app", "allow", nil),
            ("to-app", "/ns/default/sa/other", "127.0.0.1", nil, false, "app", "deny", nil),
        ] as [(String, String, String, String?, Bool, String, String, String?)])
    func cases(
        listener: String, path: String, source: String, sni: String?, forwards: Bool, route: String, decision: String,
        rule: String?
    ) throws {
        let question = Question(
            identity: try SPIFFEID(parsing: "spiffe://example.org\(path)"),
            source: try #require(IPAddress(parsing: source)), serverName: sni)
        let answer = try #require(Answer(to: question, listener: listener, settings: try settings()))
        #expect(answer.forwards == forwards)
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(answer.json.utf8)) as? [String: Any], "\(answer.json)")
        #expect(json["decision"] as? String == decision)
        #expect(json["route"] as? String == route)
        #expect(json["rule"] as? String == rule)
        #expect(answer.text.hasPrefix(forwards ? "allowed" : "refused"))
    }

    @Test("an ID of a trust domain without a bundle is refused before any rule")
    func unknownDomain() throws {
        let question = Question(identity: try SPIFFEID(parsing: "spiffe://other.test/a"), source: .v4(0x7F00_0001))
        let answer = try #require(Answer(to: question, listener: "app", settings: try settings()))
        #expect(!answer.forwards)
        #expect(answer.json.contains("\"reason\":\"unknown-trust-domain\""))
        #expect(answer.text.hasPrefix("refused: no trust bundle for other.test"))
    }

    @Test("an unknown listener has no answer")
    func unknownListener() throws {
        let question = Question(identity: try SPIFFEID(parsing: "spiffe://example.org/a"), source: .v4(0x7F00_0001))
        #expect(Answer(to: question, listener: "nope", settings: try settings()) == nil)
    }

    private func settings() throws -> Settings {
        let site = try Site { $0.replacing("mode: enforce", with: "mode: audit") }
        return try #require(Settings.load(path: site.settings).settings)
    }
}
