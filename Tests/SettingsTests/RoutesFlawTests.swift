import Settings
import Testing

@Suite("Routes: every flaw has its position")
struct RoutesFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "an inbound route without a policy",
                replacing: "        policy: anyone-trusted\n",
                with: "",
                flaws: [
                    "35:9: error: the key `policy` is missing here: an inbound route must name the policy that authorizes its peers"
                ]),
            FlawCase(
                "an outbound route without identities",
                replacing: #"""
                              identities: ["spiffe://example.org/ns/default/sa/server"]   # the server identities we accept

                    """#,
                with: "",
                flaws: [
                    "28:11: error: the key `identities` is missing here: name the SPIFFE IDs of the servers to talk to (`spiffe://*/**` is any trusted one)"
                ]),
            FlawCase(
                "an outbound route with a policy",
                replacing: """
                        bind: 127.0.0.1:15001
                        routes:
                          - name: orders
                    """,
                with: """
                        bind: 127.0.0.1:15001
                        routes:
                          - name: orders
                            policy: orders-callers
                    """,
                flaws: [
                    "27:9: error: `policy` has no place here: an outbound route has none: write `identities` in `upstream`"
                ]),
            FlawCase(
                "an inbound upstream with identities, sni and alpn",
                replacing: #"upstream: {endpoints: ["127.0.0.1:19000"]}"#,
                with:
                    #"upstream: {endpoints: ["127.0.0.1:19000"], identities: ["spiffe://*/**"], sni: a.b, alpn: [h2]}"#,
                flaws: [
                    "20:52: error: `identities` has no place here: an inbound route forwards plaintext; authorize its peers with a `policy`",
                    "20:83: error: `sni` has no place here: an inbound route forwards plaintext, which has none: leave it out",
                    "20:93: error: `alpn` has no place here: an inbound route forwards plaintext, which has none: leave it out",
                ]),
            FlawCase(
                "an outbound route that matches what plaintext lacks",
                replacing: """
                        bind: 127.0.0.1:15001
                        routes:
                          - name: orders
                    """,
                with: """
                        bind: 127.0.0.1:15001
                        routes:
                          - name: orders
                            match: {sni: [a.b], alpn: [h2]}
                    """,
                flaws: [
                    "27:17: error: `sni` has no place here: an outbound listener accepts plaintext, which has none: leave it out",
                    "27:29: error: `alpn` has no place here: an outbound listener accepts plaintext, which has none: leave it out",
                ]),
            FlawCase(
                "a builtin application on an outbound listener",
                replacing: #"endpoints: ["127.0.0.1:15443"]"#,
                with: "builtin: echo",
                flaws: [
                    "28:11: error: `builtin` has no place here: an outbound route speaks mTLS to a peer: name its `endpoints`"
                ]),
            FlawCase(
                "a builtin application beside endpoints",
                replacing: "{builtin: echo}",
                with: #"{builtin: echo, endpoints: ["127.0.0.1:80"]}"#,
                flaws: [
                    "36:19: error: `endpoints` and `builtin` exclude each other: leave one out"
                ]),
            FlawCase(
                "an upstream of nothing",
                replacing: "{builtin: echo}",
                with: "{}",
                flaws: [
                    "36:19: error: the upstream is empty: name its `endpoints` or a `builtin`"
                ]),
            FlawCase(
                "a builtin application that is none",
                replacing: "{builtin: echo}",
                with: "{builtin: ech}",
                flaws: [
                    "36:29: error: expected one of echo, discard, source, found `ech`; did you mean `echo`?"
                ]),
            FlawCase(
                "a policy that is missing",
                replacing: "policy: orders-callers",
                with: "policy: order-callers",
                flaws: [
                    "21:17: error: no policy is named `order-callers`; did you mean `orders-callers`?"
                ]),
            FlawCase(
                "a policy that is missing, with no neighbour",
                replacing: "policy: orders-callers",
                with: "policy: x",
                flaws: [
                    "21:17: error: no policy is named `x`"
                ]),
            FlawCase(
                "a route behind one that matches everything",
                replacing: "        policy: anyone-trusted",
                with: """
                            policy: anyone-trusted
                          - name: more
                            match: {sni: [a.b]}
                            upstream: {builtin: discard}
                            policy: anyone-trusted
                    """,
                flaws: [
                    "38:9: error: the route is unreachable: the route at line 35 matches everything that it matches"
                ]),
            FlawCase(
                "a route behind one whose conditions cover its own",
                replacing:
                    "        upstream: {builtin: echo}    # echo | discard | source: a load-test target needs no backend\n        policy: anyone-trusted",
                with: #"""
                            match: {sni: ["*.b"], destinationPorts: [1-9]}
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                          - name: more
                            match: {sni: [x.b, y.b], destinationPorts: [3, 4-5], alpn: [h2]}
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                    """#,
                flaws: [
                    "39:9: error: the route is unreachable: the route at line 35 matches everything that it matches"
                ]),
            FlawCase(
                "a match whose key is misspelt shadows no other route",
                replacing:
                    "        upstream: {builtin: echo}    # echo | discard | source: a load-test target needs no backend\n        policy: anyone-trusted",
                with: #"""
                            match: {snii: ["*.b"]}
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                          - name: more
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                    """#,
                flaws: [
                    "36:17: error: unknown key `snii`; did you mean `sni`? (known here: alpn, destinationPorts, destinations, sni)"
                ]),
            FlawCase(
                "two listeners of one name",
                replacing: "  - name: target",
                with: "  - name: orders",
                flaws: [
                    "31:11: error: a second listener named `orders`; the first is at line 14"
                ]),
            FlawCase(
                "two routes of one name",
                replacing:
                    "        upstream: {builtin: echo}    # echo | discard | source: a load-test target needs no backend\n        policy: anyone-trusted",
                with: #"""
                            match: {sni: ["*.b"]}
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                          - name: echo
                            upstream: {builtin: echo}
                            policy: anyone-trusted
                    """#,
                flaws: [
                    "39:15: error: a second route named `echo`; the first is at line 35"
                ]),
            FlawCase(
                "an ALPN protocol named twice",
                replacing: "match: {sni: [orders.internal]}",
                with: "match: {alpn: [h2, h2]}",
                flaws: [
                    "19:23: error: an ALPN protocol is named twice"
                ]),
            FlawCase(
                "listeners of nothing",
                replacing: "    routes:\n      - name: echo",
                with: """
                        routes: []
                        rutes:
                          - name: echo
                    """,
                flaws: [
                    "34:13: error: the list of routes is empty: name at least one",
                    "35:5: error: unknown key `rutes`; did you mean `routes`? (known here: acceptProxyProtocol, allowRemoteCallers, bind, callers, clientCertificates, detectionTimeout, expiry, expiryGrace, keepSource, maxConnectionAge, mode, name, routes, serverFirst, socket, terminate, transparent, unmatched)",
                    "50:3: warning: no route uses the policy `anyone-trusted`",
                ]),
            FlawCase(
                "no listener at all",
                text: "listeners: []\n",
                flaws: [
                    "1:1: error: the key `identity` is missing here",
                    "1:12: error: the list of listeners is empty: name at least one",
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
