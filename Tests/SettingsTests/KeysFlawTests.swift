import Settings
import Testing

@Suite("Keys: every flaw has its position")
struct KeysFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "an unknown key gets the nearest known one and the list of all",
                replacing: "    mode: outbound  ",
                with: "    mod: outbound  ",
                flaws: [
                    "23:5: error: unknown key `mod`; did you mean `mode`? (known here: acceptProxyProtocol, allowRemoteCallers, bind, callers, clientCertificates, detectionTimeout, expiry, expiryGrace, keepSource, maxConnectionAge, mode, name, routes, serverFirst, socket, terminate, transparent, unmatched)"
                ]),
            FlawCase(
                "an unknown key with no neighbour gets the list",
                replacing: "workers: 1  ",
                with: "colour: blue  ",
                flaws: [
                    "10:1: error: unknown key `colour` (known here: accessLog, admin, eventLoop, identity, limits, listeners, log, mark, policies, tls, workers)"
                ]),
            FlawCase(
                "a key of another section is sent there",
                replacing: "        policy: orders-callers",
                with: "        policy: orders-callers\n        sni: [orders.internal]",
                flaws: [
                    "22:9: error: unknown key `sni`; it belongs in `listeners[].routes[].match` or `listeners[].routes[].upstream` or `policies.NAME.rules[]` (known here: match, name, policy, upstream)"
                ]),
            FlawCase(
                "a duplicate key names the first",
                replacing: "workers: 1  ",
                with: "workers: 1\nworkers: 2  ",
                flaws: [
                    "11:1: error: duplicate key `workers`; first given at line 10, column 1"
                ]),
            FlawCase(
                "a duplicate key in a flow mapping names the first",
                replacing: #"{minVersion: "1.3", resumption: true}"#,
                with: #"{resumption: true, minVersion: "1.3", resumption: false}"#,
                flaws: [
                    "12:44: error: duplicate key `resumption`; first given at line 12, column 7"
                ]),
            FlawCase(
                "a missing key is named once",
                replacing: "    bind: 127.0.0.1:15444\n",
                with: "",
                flaws: [
                    "31:5: error: the key `bind` is missing here"
                ]),
            FlawCase(
                "a missing section is named",
                replacing: "identity:\n  files:",
                with: "tls_:\n  files:",
                flaws: [
                    "1:1: error: the key `identity` is missing here",
                    "1:1: error: unknown key `tls_`; did you mean `tls`? (known here: accessLog, admin, eventLoop, identity, limits, listeners, log, mark, policies, tls, workers)",
                ]),
            FlawCase(
                "a key that is not text is refused",
                replacing: "workers: 1  ",
                with: "[1]: 1\n",
                flaws: [
                    "10:1: error: a key must be text"
                ]),
            FlawCase(
                "a merge key is refused",
                replacing: #"{minVersion: "1.3", resumption: true}"#,
                with: #"{<<: {minVersion: "1.3"}}"#,
                flaws: [
                    "12:7: error: merge keys (`<<`) are not supported: write the keys out, or alias a whole value"
                ]),
            FlawCase(
                "several flaws come in one go, in the order of the file",
                replacing: "  bind: 127.0.0.1:9901\nworkers: 1  ",
                with: "  bind: localhost:9901\nworkers: some  ",
                flaws: [
                    #"9:9: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `localhost:9901`: names are not resolved: write 127.0.0.1 or "[::1]""#,
                    "10:10: error: expected a whole number from 1 to 1024, found `some`",
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
