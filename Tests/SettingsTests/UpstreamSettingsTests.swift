import Policy
import PosternTesting
import Testing

@testable import Settings

@Suite("Upstreams in the settings")
struct UpstreamSettingsTests {
    private static let outbound = #"endpoints: ["127.0.0.1:15443"]"#
    private static let inbound = #"{endpoints: ["127.0.0.1:19000"]}"#

    @Test("names with ports, absolute ones, and SRV records beside addresses")
    func names() throws {
        let text = exampleReplacing(
            Self.outbound,
            with: #"endpoints: ["10.0.0.1:1", Orders.shop:8443, "orders.:2", "localhost:3", "srv:_a._tcp.example.org"]"#
        )
        let target = try #require(outcome(of: text).settings, "\(flaws(of: text))").listeners[1].routes[0].upstream
            .target
        guard case .endpoints(let endpoints) = target else {
            Issue.record("no endpoints")
            return
        }
        #expect(
            endpoints.map(\.description) == [
                "10.0.0.1:1", "orders.shop:8443", "orders.:2", "localhost:3", "srv:_a._tcp.example.org",
            ])
        #expect(endpoints.map(\.isName) == [false, true, true, true, true])
    }

    @Test("every key of an upstream, and what holds without them")
    func keys() throws {
        let text = exampleReplacing(
            Self.outbound,
            with: """
                endpoints: ["a.test:1"]
                          resolve: {every: 5s, family: ipv6, addresses: first, server: "10.0.0.53:53"}
                          balance: roundRobin
                          health: {failures: 5, ejectFor: 30s, check: {every: 1s, kind: tls}}
                          connectionsPerEndpoint: 7
                          retries: 0
                          preconnect: 4
                """)
        let upstream = try #require(outcome(of: text).settings, "\(flaws(of: text))").listeners[1].routes[0].upstream
        #expect(upstream.resolve.everyMilliseconds == 5_000 && upstream.resolve.family == .ipv6)
        #expect(upstream.resolve.addresses == .first && upstream.resolve.server?.port == 53)
        #expect(upstream.balance == .roundRobin && upstream.retries == 0 && upstream.preconnect == 4)
        #expect(upstream.health.failures == 5 && upstream.health.ejectForMilliseconds == 30_000)
        #expect(upstream.health.check?.kind == .tls && upstream.health.check?.everyMilliseconds == 1_000)
        #expect(upstream.connectionsPerEndpoint == 7)
        let plain = try #require(outcome(of: exampleSettings).settings).listeners[1].routes[0].upstream
        #expect(plain.balance == .leastConnections && plain.retries == 2 && plain.health == HealthSettings())
        #expect(plain.connectionsPerEndpoint == 0 && plain.preconnect == 0 && plain.resolve == ResolveSettings())
    }

    @Test(
        "what is no endpoint has a reason",
        arguments: [
            ("example.org", "the port is missing"), ("example.org:0", "port 0 cannot be dialled"),
            ("example.org:99999", "the port must be a number up to 65535"),
            ("exa mple.org:80", "neither an IP address nor a host name"), ("-a.test:80", "nor a host name"),
            ("a..test:80", "nor a host name"), ("a.123:80", "nor a host name"),
            ("srv:_a._tcp.test:80", "SRV records name the port: leave it out"),
            ("srv:orders.test", "begins with service and protocol"), ("srv:", "nor a host name"),
            ("http://a.test", "neither scheme nor path"), ("1.2.3:80", "not an IP address"),
        ])
    func noEndpoints(written: String, reason: String) {
        let told = flaws(of: exampleReplacing(Self.outbound, with: "endpoints: [\"\(written)\"]"))
        #expect(told.count == 1 && told[0].hasPrefix("28:23: error: ") && told[0].contains(reason), "\(told)")
    }

    @Test("a name of another host needs permission where bytes are forwarded in plaintext")
    func plaintext() {
        let remote = #"endpoints: ["app.test:80"]"#
        let told = flaws(of: exampleReplacing(Self.inbound, with: "{\(remote)}"))
        #expect(
            told.count == 1
                && told[0].hasPrefix(
                    "20:32: error: app.test:80 may be another host, which would be reached in plaintext"),
            "\(told)")
        #expect(flaws(of: exampleReplacing(Self.inbound, with: "{\(remote), allowRemoteUpstream: true}")) == [])
        #expect(flaws(of: exampleReplacing(Self.inbound, with: #"{endpoints: ["localhost:80"]}"#)) == [])
    }

    @Test(
        "keys that mean nothing where they stand are refused",
        arguments: [
            ("resolve: {every: 5s}", "`resolve` has no place here: none of the `endpoints` is a name"),
            ("health: {check: {kind: tls}}", "a check by TLS has no place here"),
            ("preconnect: 2", "`preconnect` has no place here"),
            ("retries: 17", "a whole number from 0 to 16"), ("balance: random", "one of leastConnections, roundRobin"),
            ("health: {failure: 2}", "did you mean `failures`?"),
        ])
    func misplaced(key: String, reason: String) {
        let told = flaws(of: exampleReplacing(Self.inbound, with: #"{endpoints: ["127.0.0.1:19000"], \#(key)}"#))
        #expect(told.count == 1 && told[0].contains(reason), "\(told)")
    }
}
