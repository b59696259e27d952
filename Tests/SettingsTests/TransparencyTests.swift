import Policy
import Testing

@testable import Settings

@Suite("Transparent listeners in the settings")
struct TransparencyTests {
    private static func text(
        inbound: String = "transparent: redirect", inboundUpstream: String = "{original: true}",
        outbound: String = "transparent: tproxy", match: String = "{destinations: [10.96.0.0/12]}",
        outboundUpstream: String = #"{original: true, identities: ["spiffe://a.test/**"]}"#, end: String = ""
    ) -> String {
        """
        identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
        listeners:
          - name: in
            mode: inbound
            bind: 0.0.0.0:15006
            \(inbound)
            routes: [{name: app, upstream: \(inboundUpstream), policy: p}]
          - name: out
            mode: outbound
            bind: 127.0.0.1:15001
            \(outbound)
            routes:
              - name: mesh
                match: \(match)
                upstream: \(outboundUpstream)
        policies:
          p:
            rules: [{name: r, action: allow, identities: ["spiffe://a.test/**"]}]
        \(end)
        """
    }

    @Test("each key has its place in the model")
    func model() throws {
        let text = Self.text(
            inbound: "transparent: tproxy\n    keepSource: true",
            outbound: "transparent: redirect\n    unmatched: passthrough",
            end: "mark: 4294967295")
        let settings = try #require(outcome(of: text).settings, "\(allFlaws(of: text))")
        #expect(settings.mark == 0xFFFF_FFFF)
        let (inbound, outbound) = (settings.listeners[0], settings.listeners[1])
        #expect(inbound.transparency == .tproxy && inbound.keepsSource && inbound.unmatched == .refuse)
        #expect(outbound.transparency == .redirect && !outbound.keepsSource && outbound.unmatched == .passthrough)
        #expect(inbound.routes[0].upstream.target == .original && outbound.routes[0].upstream.target == .original)
        #expect(outbound.routes[0].match.destinations.map(\.description) == ["10.96.0.0/12"])
        #expect(!outbound.allowsRemoteCallers)
        // Plaintext is said aloud.
        let told = allFlaws(of: text)
        #expect(
            told.count == 1 && told[0].contains("warning: what no route matches is relayed in plaintext"), "\(told)")
    }

    @Test(
        "each flaw is told once, with what to do",
        arguments: [
            (text(inbound: "transparent: off"), ["`original` has no place here: clients of this listener want to go"]),
            (
                text(
                    outbound: "# off",
                    outboundUpstream: "{endpoints: [\"10.0.0.1:1\"], identities: [\"spiffe://a.test/**\"]}"),
                ["`destinations` has no place here: clients of this listener want to go nowhere else: it takes"]
            ),
            (
                text(
                    outbound: "unmatched: passthrough", match: "{}",
                    outboundUpstream: "{endpoints: [\"10.0.0.1:1\"], identities: [\"spiffe://a.test/**\"]}"),
                [
                    "`unmatched` has no place here: clients of this listener want to go nowhere else",
                    "warning: what no route matches is relayed in plaintext",
                ]
            ),
            (
                text(inbound: "transparent: redirect\n    unmatched: refuse"),
                ["`unmatched` has no place here: an inbound listener forwards only what a policy allows"]
            ),
            (
                text(inbound: "transparent: redirect\n    keepSource: true"),
                ["`keepSource` has no place here: it takes `transparent: tproxy` beside it"]
            ),
            (
                text(outbound: "transparent: tproxy\n    keepSource: true"),
                ["`keepSource` has no place here: an outbound listener dials peers"]
            ),
            (
                text(inboundUpstream: "{original: true, endpoints: [\"127.0.0.1:80\"]}"),
                ["`endpoints` has no place here: `original` says where to go: leave one out"]
            ),
            (
                text(inboundUpstream: "{original: true, builtin: echo}"),
                ["`builtin` has no place here: `original` says where to go: leave one out"]
            ),
            (
                text(inboundUpstream: "{original: true, allowRemoteUpstream: true}"),
                ["`allowRemoteUpstream` has no place here: `original` dials loopback only"]
            ),
            (text(inboundUpstream: "{original: false}"), ["the upstream is empty: name its `endpoints`"]),
            (text(outbound: "transparent: redirct"), ["did you mean `redirect`?"]),
            (text(match: "{destinations: [10.96.0.1/12]}"), ["address block `10.96.0.1/12`"]),
            (text(match: "{destinations: []}"), ["name at least one, or leave the key out"]),
            (
                text().replacing("bind: 127.0.0.1:15001", with: "bind: unix:/run/out.sock"),
                ["`transparent` has no place here: no rule of a firewall leads to a Unix socket"]
            ),
            (text(end: "mark: 0"), ["expected a whole number from 1 to 4294967295"]),
            (text(end: "mark: 4294967296"), ["expected a whole number from 1 to 4294967295"]),
        ])
    func flaws(text: String, expected: [String]) {
        let told = allFlaws(of: text)
        #expect(told.count == expected.count, "\(told)")
        for (flaw, part) in zip(told, expected) { #expect(flaw.contains(part), "\(flaw)") }
    }

    @Test("a destination may be a name, in lower case; an address block is none")
    func names() throws {
        let text = Self.text(match: #"{destinations: [Orders.Shop.svc.cluster.local, 10.0.0.1, "fd00::/8"]}"#)
        let match = try #require(outcome(of: text).settings, "\(allFlaws(of: text))").listeners[1].routes[0].match
        #expect(match.destinations.map(\.description) == ["orders.shop.svc.cluster.local", "10.0.0.1/32", "fd00::/8"])
        #expect(match.questions.map(\.name.description) == ["orders.shop.svc.cluster.local"])
    }

    @Test("a route whose destinations another one covers is unreachable")
    func unreachable() {
        let more = """
            {destinations: [10.0.0.0/8]}
                    upstream: {original: true, identities: ["spiffe://a.test/**"]}
                  - name: second
                    match: {destinations: [10.96.0.0/12]}
            """
        let told = allFlaws(of: Self.text(match: more))
        #expect(told.count == 1 && told[0].contains("the route is unreachable"), "\(told)")
    }
}
