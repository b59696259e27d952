import Policy
import PosternTesting
import Settings
import Testing

@Suite("What is accepted")
struct AcceptedTests {
    @Test(
        "both spellings of a TLS version",
        arguments: [(#""1.2""#, TLSSettings.MinimumVersion.tls12), ("1.2", .tls12), ("'1.3'", .tls13), ("1.3", .tls13)])
    func versions(written: String, meant: TLSSettings.MinimumVersion) {
        let text = exampleReplacing(#"minVersion: "1.3""#, with: "minVersion: \(written)")
        #expect(outcome(of: text).settings?.tls.minVersion == meant)
    }

    @Test("every key exchange group, in the order of the file; by default none is named")
    func keyExchange() {
        #expect(outcome(of: exampleSettings).settings?.tls.keyExchange == nil)
        let words = TLSSettings.KeyExchange.allCases.reversed().map(\.rawValue).joined(separator: ", ")
        let text = exampleReplacing(#"minVersion: "1.3""#, with: "keyExchange: [\(words)]")
        let outcome = outcome(of: text)
        #expect(outcome.settings?.tls.keyExchange == TLSSettings.KeyExchange.allCases.reversed())
        #expect(outcome.sources.keyExchange(1).column == 28)
    }

    @Test(
        "durations in each unit",
        arguments: [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("720h", 2_592_000_000)])
    func durations(written: String, milliseconds: Int) {
        let text = exampleReplacing("idleTimeout: 1h", with: "idleTimeout: \(written)")
        #expect(outcome(of: text).settings?.limits.idleTimeoutMilliseconds == milliseconds)
    }

    @Test(
        "sizes in each unit, as written here and as Kubernetes writes them",
        arguments: [
            ("8MiB", 8 << 20), ("65536KiB", 64 << 20), ("64Mi", 64 << 20), ("2GiB", 2 << 30), ("1024Gi", 1 << 40),
        ])
    func sizes(written: String, bytes: Int) {
        let text = exampleReplacing("idleTimeout: 1h", with: "memory: \(written)")
        #expect(outcome(of: text).settings?.limits.memoryBytes == bytes)
    }

    @Test(
        "endpoints of both families, and port 0 to listen on",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:80"), (#""[::1]:80""#, "[::1]:80"), ("0.0.0.0:0", "0.0.0.0:0"),
            (#""[2001:DB8::0:1]:65535""#, "[2001:db8::1]:65535"), (#""[::ffff:10.0.0.1]:1""#, "10.0.0.1:1"),
        ])
    func endpoints(written: String, meant: String) {
        let text = exampleReplacing("bind: 127.0.0.1:15001", with: "bind: \(written)\n    allowRemoteCallers: true")
        #expect(outcome(of: text).settings?.listeners[1].bind.description == meant)
    }

    @Test(
        "each place for the access log",
        arguments: [
            ("stdout", AccessLogChoice.standardOutput), ("stderr", .standardError), ("off", .off), ("'off'", .off),
        ])
    func accessLog(written: String, meant: AccessLogChoice) {
        #expect(outcome(of: exampleSettings + "accessLog: \(written)\n").settings?.accessLog == meant)
    }

    @Test("a file for the access log, with its place", arguments: ["/var/log/a", "access.log", "./stout"])
    func accessLog(file: String) {
        let outcome = outcome(of: exampleSettings + "accessLog: \(file)\n")
        #expect(outcome.settings?.accessLog == .file(file))
        let place = outcome.sources.accessLog
        #expect(place.line == exampleSettings.split(separator: "\n", omittingEmptySubsequences: false).count)
        #expect(place.column == 12)
    }

    @Test("a level and a format for the log")
    func log() {
        let settings = outcome(of: exampleSettings + "log: {level: debug, format: json}\n").settings
        #expect(settings?.log == LogSettings(level: .debug, format: .json))
    }

    @Test("each condition of a route")
    func match() throws {
        let text = exampleReplacing(
            "match: {sni: [orders.internal]}",
            with: #"match: {sni: [A.b, "*.c"], alpn: [h2, http/1.1], destinationPorts: [443, "8000-8999"]}"#)
        let match = try #require(outcome(of: text).settings).listeners[0].routes[0].match
        #expect(match.serverNames.map(\.description) == ["a.b", "*.c"])
        #expect(match.applicationProtocols == ["h2", "http/1.1"])
        #expect(match.destinationPorts.map(\.description) == ["443", "8000-8999"])
    }

    @Test("each condition of a rule")
    func rule() throws {
        let text = exampleReplacing(
            #"sources: ["127.0.0.0/8"]"#,
            with: #"sources: [10.0.0.0/8, "::1"], destinationPorts: [80], sni: [a.b]"#
                .replacing(", destinationPorts", with: "\n        destinationPorts")
                .replacing(", sni", with: "\n        sni"))
        let rule = try #require(outcome(of: text).settings).policies[0].rules[0]
        #expect(rule.sources.map(\.description) == ["10.0.0.0/8", "::1/128"])
        #expect(rule.destinationPorts.map(\.description) == ["80"])
        #expect(rule.serverNames.map(\.description) == ["a.b"])
    }

    @Test("ALPN protocols for an upstream, in their order")
    func upstreamProtocols() {
        let text = exampleReplacing("sni: orders.internal\n", with: "sni: orders.internal\n          alpn: [h2, x]\n")
        #expect(outcome(of: text).settings?.listeners[1].routes[0].upstream.applicationProtocols == ["h2", "x"])
    }

    @Test("an audit policy")
    func audit() {
        let text = exampleReplacing("mode: enforce  ", with: "mode: audit  ")
        #expect(outcome(of: text).settings?.policies.map(\.mode) == [.audit, .enforce])
    }

    @Test("anchors and aliases, of a value and of a whole section")
    func aliases() throws {
        let text = exampleReplacing(
            "upstream: {builtin: echo}  ", with: "upstream: &up {builtin: echo}\n        match: {sni: [&n a.b]} ")
        let more = text.replacing(
            "        policy: anyone-trusted\n",
            with: """
                        policy: anyone-trusted
                      - name: more
                        match: {alpn: [*n]}
                        upstream: *up
                        policy: anyone-trusted

                """)
        let routes = try #require(outcome(of: more).settings).listeners[2].routes
        #expect(routes.map(\.upstream.target) == [.builtin(.echo), .builtin(.echo)])
        #expect(routes[1].match.applicationProtocols == ["a.b"])
    }

    @Test("without limits, the defaults; with some, the others' defaults")
    func defaults() throws {
        let (before, _) = try #require(exampleSettings.split("limits:"))
        #expect(outcome(of: before).settings?.limits == LimitSettings())
        var some = LimitSettings()
        some.connections = 7
        #expect(outcome(of: before + "limits: {connections: 7}\n").settings?.limits == some)
    }

    @Test(
        "binds that only look alike",
        arguments: ["127.0.0.2:15443", #""[::1]:15443""#, #""[::]:15443""#, "127.0.0.1:0"])
    func distinctBinds(bind: String) {
        #expect(flaws(of: exampleReplacing("bind: 127.0.0.1:15444", with: "bind: \(bind)")) == [])
        let zero = exampleReplacing("bind: 127.0.0.1:15444", with: "bind: 127.0.0.1:0")
        #expect(flaws(of: zero.replacing("bind: 127.0.0.1:15443", with: "bind: 127.0.0.1:0")) == [])
    }
}

extension String {
    /// The text before and after a mark that occurs in it.
    fileprivate func split(_ mark: String) -> (String, String)? {
        let pieces = split(separator: mark, maxSplits: 1, omittingEmptySubsequences: false)
        return pieces.count == 2 ? (String(pieces[0]), String(pieces[1])) : nil
    }
}
