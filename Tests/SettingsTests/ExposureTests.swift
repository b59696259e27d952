import Testing

@testable import Settings

@Suite("Settings that would expose the identity")
struct ExposureTests {
    private static func text(
        inbound: String = "", upstream: String = "endpoints: [\"127.0.0.1:80\"]", outbound: String = "127.0.0.1:0",
        outboundExtra: String = "",
        policy: String = "rules: [{name: r, action: allow, identities: [\"spiffe://a.test/**\"]}]",
        end: String = ""
    ) -> String {
        """
        identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
        listeners:
          - name: in
            mode: inbound
            bind: 0.0.0.0:15443
            \(inbound)
            routes: [{name: app, upstream: {\(upstream)}, policy: p}]
          - name: out
            mode: outbound
            bind: "\(outbound)"
            \(outboundExtra)
            routes: [{name: far, upstream: {endpoints: ["192.0.2.1:443"], identities: ["spiffe://a.test/**"]}}]
        policies:
          p:
            \(policy)
        \(end)
        """
    }

    @Test("listeners on the host, and an inbound one on every address, cause no warning")
    func quiet() {
        #expect(allFlaws(of: Self.text()) == [])
        #expect(allFlaws(of: Self.text(upstream: #"endpoints: ["[::1]:80"]"#)) == [])
    }

    @Test(
        "an outbound listener beyond loopback is an error without its key",
        arguments: ["0.0.0.0:15001", "10.0.0.1:15001", "[::]:15001"])
    func remoteCallers(bind: String) {
        let told = allFlaws(of: Self.text(outbound: bind))
        #expect(told.count == 1 && told[0].hasPrefix("10:11: error: any client that reaches \(bind) uses"), "\(told)")
        #expect(allFlaws(of: Self.text(outbound: bind, outboundExtra: "allowRemoteCallers: true")) == [])
        #expect(allFlaws(of: Self.text(outbound: bind, outboundExtra: "allowRemoteCallers: false")).count == 1)
        // One word for what is wrong, not two.
        let misspelt = allFlaws(of: Self.text(outbound: bind, outboundExtra: "allowRemoteCaller: true"))
        #expect(misspelt.count == 1 && misspelt[0].contains("did you mean `allowRemoteCallers`?"), "\(misspelt)")
        #expect(allFlaws(of: Self.text(inbound: "allowRemoteCallers: true"))[0].contains("has no place here"))
    }

    @Test("whoever may name sources must be listed, is warned of if that is everyone, and is no caller of our own")
    func balancers() {
        #expect(allFlaws(of: Self.text(inbound: #"acceptProxyProtocol: {from: ["10.0.0.0/8", "::1"]}"#)) == [])
        let everyone = allFlaws(of: Self.text(inbound: #"acceptProxyProtocol: {from: ["0.0.0.0/0"]}"#))
        #expect(everyone.count == 1 && everyone[0].hasPrefix("6:33: warning: with 0.0.0.0/0 every client may claim"))
        let nobody = allFlaws(of: Self.text(inbound: "acceptProxyProtocol: {}"))
        #expect(nobody.count == 1 && nobody[0].contains("the key `from` is missing here"), "\(nobody)")
        #expect(allFlaws(of: Self.text(inbound: "acceptProxyProtocol: {from: []}")).count == 1)
        let outbound = allFlaws(of: Self.text(outboundExtra: #"acceptProxyProtocol: {from: ["10.0.0.0/8"]}"#))
        #expect(outbound.count == 1 && outbound[0].contains("has no place here"), "\(outbound)")
    }

    @Test("a rule that lets clients of plaintext in causes a warning, and must name their addresses")
    func unauthenticated() {
        let rule = { (rest: String) in Self.text(policy: "rules: [{name: r, action: allow, \(rest)}]") }
        let warned = allFlaws(of: rule(#"unauthenticated: true, sources: ["10.0.0.0/8"]"#))
        #expect(
            warned.count == 1 && warned[0].contains("warning: clients are let in here by their address"), "\(warned)")
        let everyone = allFlaws(of: rule("unauthenticated: true"))
        #expect(everyone.count == 1 && everyone[0].contains("error: the key `sources` is missing here"), "\(everyone)")
        let both = allFlaws(of: rule(#"unauthenticated: true, identities: ["spiffe://a.test/**"], sources: ["::1"]"#))
        #expect(both.contains { $0.contains("`identities` and `unauthenticated` exclude each other") }, "\(both)")
        let denied =
            #"rules: [{name: d, action: deny, unauthenticated: true}, {name: a, action: allow, identities: ["spiffe://a.test/**"]}]"#
        #expect(allFlaws(of: Self.text(policy: denied)) == [])
    }

    @Test("a plaintext upstream on another host is an error without its key")
    func remoteUpstream() {
        let remote = #"endpoints: ["127.0.0.1:80", "10.0.0.7:80"]"#
        let told = allFlaws(of: Self.text(upstream: remote))
        #expect(told.count == 1 && told[0].hasPrefix("7:65: error: 10.0.0.7:80 is another host"), "\(told)")
        #expect(allFlaws(of: Self.text(upstream: remote + ", allowRemoteUpstream: true")) == [])
    }

    @Test("an admin endpoint on every address, an audit policy, and a rule for everyone cause warnings")
    func warnings() {
        let admin = allFlaws(of: Self.text(end: "admin: {bind: 0.0.0.0:9901}"))
        #expect(
            admin.count == 1 && admin[0].hasPrefix("16:15: warning: the admin endpoint has no authentication"),
            "\(admin)")
        #expect(allFlaws(of: Self.text(end: "admin: {bind: 10.0.0.1:9901}")) == [])
        let changes = allFlaws(of: Self.text(end: "admin: {bind: 10.0.0.1:9901, allowChanges: true}"))
        #expect(
            changes.count == 1 && changes[0].contains("lets everyone who reaches 10.0.0.1:9901 end this proxy"),
            "\(changes)")
        #expect(allFlaws(of: Self.text(end: "admin: {bind: 127.0.0.1:9901, allowChanges: true}")) == [])
        let socket = "socket: {path: /run/postern/admin.sock, mode: \"0660\", user: 0, group: 0}"
        #expect(allFlaws(of: Self.text(end: "admin: {\(socket)}")) == [])
        #expect(allFlaws(of: Self.text(end: "admin: {bind: 127.0.0.1:9901, \(socket)}")) == [])
        let taken = allFlaws(
            of: Self.text(outbound: "unix:/run/postern/admin.sock", end: "admin: {\(socket)}"))
        #expect(taken.count == 1 && taken[0].contains("which the"), "\(taken)")
        let rules = #"rules: [{name: r, action: allow, identities: ["spiffe://*/**"]}]"#
        let audit = allFlaws(of: Self.text(policy: "mode: audit\n    " + rules))
        #expect(audit.count == 2, "\(audit)")
        #expect(audit[0].hasPrefix("15:5: warning: the policy `p` enforces nothing"), "\(audit)")
        #expect(audit[1].hasPrefix("16:51: warning: this allows every peer"), "\(audit)")
        let deny = #"rules: [{name: d, action: deny, identities: ["spiffe://*/**"]}]"#
        #expect(!allFlaws(of: Self.text(policy: deny)).contains { $0.contains("allows every peer") })
    }
}
