import Policy
import Redirection
import Settings
import Testing

@Suite("The plan of a redirection")
struct RedirectionPlanTests {
    /// A sidecar's settings.
    static func text(
        mode: String = "redirect", mark: String = "mark: 1337", v6: Bool = true, inbound: String = "0.0.0.0:15006",
        outbound: String = "127.0.0.1:15001", admin: String = "0.0.0.0:15000", more: String = ""
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
            admin: {bind: "\(admin)"}
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
        let more = ["0.0.0.0:8443", "10.0.0.7:8444", "[fd00::7]:8445", "127.0.0.1:5432"].map { bind in
            """
              - name: \(bind.suffix(4))
                mode: inbound
                bind: "\(bind)"
                routes: [{name: r, upstream: {builtin: echo}, policy: all}]

            """
        }
        let plan = try Self.plan(Self.text(admin: "[::]:15000", more: more.joined()), user: 1000)
        let listeners = RedirectionPlan.Listeners(inboundPort: 15_006, outboundPort: 15_001)
        #expect(plan.mode == .redirect && plan.v4 == listeners && plan.v6 == listeners)
        #expect(plan.exemptions == [.mark(1337), .user(1000)])
        func port(_ number: UInt16) throws -> PortRange { try #require(PortRange(lower: number, upper: number)) }
        #expect(
            plan.inboundSkips == [
                .init(try port(8443), family: .v4),
                .init(try port(8444), family: .v4, address: IPAddress(parsing: "10.0.0.7")),
                .init(try port(8445), family: .v6, address: IPAddress(parsing: "fd00::7")),
                .init(try port(15_000)),
            ], "behind the same port of an address where nothing is bound there may be any program")
        let rules = NFTables.rules(plan)
        #expect(rules.contains("ip daddr 10.0.0.7 tcp dport 8444 return") && !rules.contains("5432"))
        #expect(rules.contains("ip6 daddr fd00::7 tcp dport 8445 return"))
        #expect(rules.contains("        tcp dport 15000 return"))
        let tables = try [IPFamily.v4, .v6].map { try #require(IPTables.change(from: "", to: plan, $0)) }
        #expect(tables[0].contains("-d 10.0.0.7 -p tcp --dport 8444:8444") && !tables[1].contains("8444"))
        #expect(tables[1].contains("-d fd00::7 -p tcp --dport 8445:8445") && !tables[0].contains("8445"))
        let only = try Self.plan(Self.text(v6: false), families: [.v4])
        #expect(only.v4 == listeners && only.v6 == RedirectionPlan.Listeners())
    }

    @Test(
        "is refused where connections would pass the proxy by, or come back to it",
        arguments: [
            (text(v6: false), nil, "leave IPv6 out with --only ipv4"),
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
