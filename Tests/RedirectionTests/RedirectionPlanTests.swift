import Policy
import Redirection
import Settings
import Testing

@Suite("The plan of a redirection")
struct RedirectionPlanTests {
    /// A sidecar's settings.
    static func text(
        mode: String = "redirect", mark: String = "mark: 1337", v6: Bool = true, inbound: String = "0.0.0.0:15006",
        outbound: String = "127.0.0.1:15001", more: String = ""
    ) -> String {
        func listener(_ name: String, _ mode: String, _ bind: String, _ transparency: String) -> String {
            let inbound = "upstream: {original: true}, policy: all"
            let outbound = "upstream: {original: true, identities: [\"spiffe://a.test/**\"]}"
            return """
                  - name: \(name)
                    mode: \(mode)
                    bind: "\(bind)"
                    transparent: \(transparency)
                    routes: [{name: r, \(mode == "inbound" ? inbound : outbound)}]

                """
        }
        var listeners =
            listener("in4", "inbound", inbound, mode) + listener("out4", "outbound", outbound, mode)
        if v6 {
            listeners +=
                listener("in6", "inbound", "[::]:15006", mode) + listener("out6", "outbound", "[::1]:15001", mode)
        }
        return """
            identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
            admin: {bind: "127.0.0.1:15000"}
            \(mark)
            listeners:
            \(listeners)\(more)
            policies: {all: {rules: [{name: all, action: allow, identities: ["spiffe://a.test/**"]}]}}
            """
    }

    static func plan(
        _ text: String, families: Set<IPFamily> = [.v4, .v6], user: UInt32? = nil
    ) throws -> RedirectionPlan {
        let outcome = Settings.parse(text: Array(text.utf8), file: "a.yaml")
        let settings = try #require(outcome.settings, "\(outcome.flaws)")
        return try RedirectionPlan(settings, families: families, user: user)
    }

    @Test("is the ports of the transparent listeners, the mark, and what clients reach directly")
    func settings() throws {
        let more =
            "  - {name: web, mode: inbound, bind: \"0.0.0.0:8443\", routes: [{name: r, upstream: {builtin: echo}, policy: all}]}"
        let plan = try Self.plan(Self.text(more: more), user: 1000)
        let listeners = RedirectionPlan.Listeners(inboundPort: 15_006, outboundPort: 15_001)
        #expect(plan.mode == .redirect && plan.v4 == listeners && plan.v6 == listeners)
        #expect(plan.exemptions == [.mark(1337), .user(1000)])
        #expect(plan.skippedInboundPorts.map(\.description) == ["8443", "15000"])
        let only = try Self.plan(Self.text(v6: false), families: [.v4])
        #expect(only.v4 == listeners && only.v6 == RedirectionPlan.Listeners())
    }

    @Test(
        "is refused where connections would pass the proxy by, or come back to it",
        arguments: [
            (text(v6: false), nil, "no inbound listener is there for IPv6"),
            (text(mark: ""), nil, "write a `mark` in the settings, or name its user with --user"),
            (text(), 0, "give the proxy a user of its own"),
            (text(mode: "tproxy", mark: ""), 1000, "tproxy needs a `mark`"),
            (text(mark: "mark: 1"), nil, "choose another `mark`"),
            (text(inbound: "127.0.0.1:15006"), nil, "\"in4\" is not where rules lead to"),
            (text(outbound: "127.0.0.2:15001"), nil, "\"out4\" is not where rules lead to"),
            (text(outbound: "127.0.0.1:0"), nil, "\"out4\" has no port of its own"),
            (
                text().replacing("transparent: redirect", with: "transparent: tproxy", maxReplacements: 1), nil,
                "do not go together"
            ),
        ] as [(String, UInt32?, String)])
    func flaws(text: String, user: UInt32?, reason: String) {
        let flaw = #expect(throws: RedirectionFlaw.self) { _ = try Self.plan(text, user: user) }
        #expect(flaw?.description.contains(reason) == true, "\(String(describing: flaw))")
    }
}
