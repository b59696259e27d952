import Settings
import Testing

@Suite("Policies: every flaw has its position")
struct PoliciesFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "an unused policy is a warning",
                replacing: "policies:",
                with: """
                    policies:
                      spare:
                        rules:
                          - {name: all, action: allow, identities: [spiffe://*/**]}
                    """,
                flaws: [
                    "39:3: warning: no route uses the policy `spare`"
                ]),
            FlawCase(
                "a policy without rules",
                replacing: #"""
                          - {name: all, action: allow, identities: ["spiffe://*/**"]}

                    """#,
                with: "      []\n",
                flaws: [
                    "51:7: error: the list of rules is empty: name at least one"
                ]),
            FlawCase(
                "two rules of one name",
                replacing: "      - name: no-legacy",
                with: "      - name: checkout",
                flaws: [
                    "46:15: error: a second rule named `checkout`; the first is at line 42"
                ]),
            FlawCase(
                "an allow rule that names nobody",
                replacing: #"""
                            identities: ["spiffe://example.org/ns/default/sa/client"]

                    """#,
                with: "",
                flaws: [
                    "42:9: error: the key `identities` is missing here: an allow rule must name the peers it allows (`spiffe://*/**` is any trusted peer)"
                ]),
            FlawCase(
                "a deny rule without a condition",
                replacing: #"""
                            action: deny
                            identities: ["spiffe://example.org/ns/legacy/**"]
                    """#,
                with: "        action: deny",
                flaws: [
                    "46:9: error: the rule has no condition, so it would refuse every peer: name the peers it denies"
                ]),
            FlawCase(
                "a deny rule needs no identities",
                replacing: #"""
                            action: deny
                            identities: ["spiffe://example.org/ns/legacy/**"]
                    """#,
                with: "        action: deny\n        sources: [10.0.0.0/8]",
                flaws: []),
            FlawCase(
                "a rule behind a wider one of its action is a warning",
                replacing: #"      - {name: all, action: allow, identities: ["spiffe://*/**"]}"#,
                with: #"""
                          - {name: all, action: allow, identities: ["spiffe://*/**"]}
                          - {name: some, action: allow, identities: ["spiffe://example.org/a"]}
                    """#,
                flaws: [
                    "52:9: warning: the rule `some` never decides: `all` at line 51 matches everything that it matches"
                ]),
            FlawCase(
                "an allow rule under a deny rule is a warning",
                replacing: "spiffe://example.org/ns/legacy/**",
                with: "spiffe://example.org/ns/**",
                flaws: [
                    "42:9: warning: the rule `checkout` never decides: `no-legacy` at line 46 matches everything that it matches, and deny rules take precedence"
                ]),
            FlawCase(
                "a policy that allows nobody is a warning",
                replacing: "action: allow, identities",
                with: "action: deny, identities",
                flaws: [
                    "49:3: warning: the policy `anyone-trusted` has no allow rule, so it refuses every peer"
                ]),
            FlawCase(
                "a misspelt action",
                replacing: "        action: deny\n",
                with: "        action: denied\n",
                flaws: [
                    "47:17: error: expected one of allow, deny, found `denied`"
                ]),
            FlawCase(
                "a misspelt condition of a rule",
                replacing: "        sources: [",
                with: "        source: [",
                flaws: [
                    "45:9: error: unknown key `source`; did you mean `sources`? (known here: action, destinationPorts, identities, name, sni, sources, unauthenticated)"
                ]),
            FlawCase(
                "an empty condition",
                replacing: #"sources: ["127.0.0.0/8"]"#,
                with: "sources: []",
                flaws: [
                    "45:18: error: the list of address blocks is empty: name at least one, or leave the key out"
                ]),
            FlawCase(
                "a policy with a name of two lines",
                replacing: "policies:",
                with: #"""
                    policies:
                      "a\nb":
                        rules: [{name: all, action: allow, identities: [spiffe://*/**]}]
                    """#,
                flaws: [
                    "39:3: error: expected the name of a policy, found a line break or control character in it",
                    #"39:3: warning: no route uses the policy `a\u{a}b`"#,
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
