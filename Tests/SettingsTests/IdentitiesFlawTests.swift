import Settings
import Testing

@Suite("Identities: every flaw has its position")
struct IdentitiesFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "a trust domain in capitals",
                replacing: "      partner.test: partner.pem",
                with: "      Partner.test: partner.pem",
                flaws: [
                    "7:7: error: trust domain `Partner.test`: ..."
                ]),
            FlawCase(
                "a trust domain with a scheme",
                replacing: "      partner.test: partner.pem",
                with: "      spiffe://partner.test: partner.pem",
                flaws: [
                    "7:7: error: trust domain `spiffe://partner.test`: ..."
                ]),
            FlawCase(
                "no trust bundle",
                replacing:
                    "      example.org: bundle.pem        # one PEM file per trust domain\n      partner.test: partner.pem",
                with: "      {}",
                flaws: [
                    "6:7: error: no trust bundle, so no peer could be trusted: name at least one"
                ]),
            FlawCase(
                "identity patterns",
                replacing: #"identities: ["spiffe://example.org/ns/legacy/**"]"#,
                with:
                    #"identities: [example.org, "spiffe://example.org/a*", "spiffe://example.org/**/b", "spiffe://example.org"]"#,
                flaws: [
                    "48:22: error: identity pattern `example.org`: ...",
                    "48:35: error: identity pattern `spiffe://example.org/a*`: ...",
                    "48:62: error: identity pattern `spiffe://example.org/**/b`: ...",
                    "48:91: error: identity pattern `spiffe://example.org`: ...",
                ]),
            FlawCase(
                "an identity of a trust domain without a bundle",
                replacing: "spiffe://example.org/ns/legacy/**",
                with: "spiffe://exmaple.org/ns/legacy/**",
                flaws: [
                    "48:22: warning: no peer can have this identity: `trustBundles` has no bundle for `exmaple.org`; did you mean `example.org`?"
                ]),
            FlawCase(
                "CRLs of a trust domain without a bundle",
                replacing: "      partner.test: partner.pem",
                with: """
                          partner.test: partner.pem
                      revocationLists:
                        partner.test: partner.crl
                        pratner.test: other.crl
                    """,
                flaws: [
                    "10:19: warning: no peer is checked by these CRLs: `trustBundles` has no bundle for `pratner.test`; did you mean `partner.test`?"
                ]),
            FlawCase(
                "an IP address as SNI",
                replacing: "sni: orders.internal",
                with: "sni: 127.0.0.1",
                flaws: [
                    "29:16: error: an IP address is never sent as SNI: leave `sni` out, or write a name"
                ]),
            FlawCase(
                "a pattern as SNI to send",
                replacing: "sni: orders.internal",
                with: #"sni: "*.internal""#,
                flaws: [
                    "29:16: error: `*.internal` is a pattern: write the one name to send"
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
