import Settings
import Testing

@Suite("Identities: what is wrong is told with its place")
struct IdentitiesFlawTests {
    @Test(
        "each flaw is told in these words",
        arguments: [
            FlawCase(
                "a trust domain in capitals",
                replacing: "      partner.test: partner.pem",
                with: "      Partner.test: partner.pem",
                flaws: [
                    "7:7: error: trust domain `Partner.test`: 'P' at byte 1 of the trust domain's text: trust domains are written in lower case"
                ]),
            FlawCase(
                "a trust domain with a scheme",
                replacing: "      partner.test: partner.pem",
                with: "      spiffe://partner.test: partner.pem",
                flaws: [
                    "7:7: error: trust domain `spiffe://partner.test`: a trust domain is a bare name such as example.org: leave out spiffe://"
                ]),
            FlawCase(
                "no trust bundle",
                replacing:
                    "      example.org: bundle.pem        # one PEM file a trust domain\n      partner.test: partner.pem",
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
                    "48:22: error: identity pattern `example.org`: a SPIFFE ID begins with spiffe:// (in lower case), then names a trust domain",
                    "48:35: error: identity pattern `spiffe://example.org/a*`: path segment 'a*': * stands for one whole segment, so write the segment in full or * alone",
                    "48:62: error: identity pattern `spiffe://example.org/**/b`: ** must be the last segment: write * for each single segment before the end",
                    "48:91: error: identity pattern `spiffe://example.org`: no path, which matches no workload: write spiffe://example.org/** for every workload of the trust domain",
                ]),
            FlawCase(
                "an identity of a trust domain without a bundle",
                replacing: "spiffe://example.org/ns/legacy/**",
                with: "spiffe://exmaple.org/ns/legacy/**",
                flaws: [
                    "48:22: warning: no peer can have this identity: `trustBundles` has none for `exmaple.org`; did you mean `example.org`?"
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
        #expect(SettingsTests.flaws(of: flawCase.text) == flawCase.flaws)
    }
}
