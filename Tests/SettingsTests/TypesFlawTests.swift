import Settings
import Testing

@Suite("Values of the wrong type: every flaw has its position")
struct TypesFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "a number that is none",
                replacing: "workers: 1  ",
                with: "workers: one  ",
                flaws: [
                    "10:10: error: expected a whole number from 1 to 1024, found `one`"
                ]),
            FlawCase(
                "a quoted number",
                replacing: "workers: 1  ",
                with: #"workers: "1"  "#,
                flaws: [
                    "10:10: error: expected a whole number from 1 to 1024, found text: leave the quotes out"
                ]),
            FlawCase(
                "a number out of range",
                replacing: "workers: 1  ",
                with: "workers: 0  ",
                flaws: [
                    "10:10: error: expected a whole number from 1 to 1024, found `0`"
                ]),
            FlawCase(
                "a number past the range of the machine",
                replacing: "connections: 10000",
                with: "connections: 99999999999999999999",
                flaws: [
                    "53:16: error: expected a whole number from 1 to 1000000, found `99999999999999999999`"
                ]),
            FlawCase(
                "a fraction",
                replacing: "connections: 10000",
                with: "connections: 1.5",
                flaws: [
                    "53:16: error: expected a whole number from 1 to 1000000, found `1.5`"
                ]),
            FlawCase(
                "a list where a number belongs",
                replacing: "workers: 1  ",
                with: "workers: [1]  ",
                flaws: [
                    "10:10: error: expected a whole number from 1 to 1024, found a list"
                ]),
            FlawCase(
                "nothing where a mapping belongs",
                replacing: "admin:\n  bind: 127.0.0.1:9901",
                with: "admin:",
                flaws: [
                    "8:7: error: expected a mapping of keys to values, found nothing"
                ]),
            FlawCase(
                "text where a mapping belongs",
                replacing: #"tls: {minVersion: "1.3", resumption: true}"#,
                with: "tls: on",
                flaws: [
                    "12:6: error: expected a mapping of keys to values, found `on`"
                ]),
            FlawCase(
                "key exchange groups by other names, and one that there is not",
                replacing: #"tls: {minVersion: "1.3", resumption: true}"#,
                with: "tls: {keyExchange: [secp384r1, X25519MLKEM786, P521, ffdhe2048]}",
                flaws: [
                    "12:21: error: the group `secp384r1` is named `P-384` here",
                    "12:32: error: \(groups), found `X25519MLKEM786`; did you mean `X25519MLKEM768`?",
                    "12:48: error: \(groups), found `P521`; did you mean `P-521`?",
                    "12:54: error: \(groups), found `ffdhe2048`",
                ]),
            FlawCase(
                "no key exchange group at all",
                replacing: #"tls: {minVersion: "1.3", resumption: true}"#,
                with: "tls: {keyExchange: []}",
                flaws: [
                    "12:20: error: the list of key exchange groups is empty: name at least one, or leave the key out"
                ]),
            FlawCase(
                "one key exchange group without brackets",
                replacing: #"tls: {minVersion: "1.3", resumption: true}"#,
                with: "tls: {keyExchange: P-384}",
                flaws: [
                    "12:20: error: expected a list of key exchange groups, found `P-384`: put it in brackets"
                ]),
            FlawCase(
                "a key exchange group that is named twice",
                replacing: #"tls: {minVersion: "1.3", resumption: true}"#,
                with: "tls: {keyExchange: [P-384, X25519, P-384]}",
                flaws: [
                    "12:20: error: a key exchange group is named twice"
                ]),
            FlawCase(
                "a mapping where a list belongs",
                replacing: "    routes:\n      - name: echo",
                with: "    routes:\n        name: echo",
                flaws: [
                    "35:9: error: expected a list of routes, found a mapping"
                ]),
            FlawCase(
                "text where a list belongs",
                replacing: #"{endpoints: ["127.0.0.1:19000"]}"#,
                with: #"{endpoints: "127.0.0.1:19000"}"#,
                flaws: [
                    "20:31: error: expected a list of endpoints, found `127.0.0.1:19000`: put it in brackets"
                ]),
            FlawCase(
                "an empty list",
                replacing: #"endpoints: ["127.0.0.1:19000"]"#,
                with: "endpoints: []",
                flaws: [
                    "20:31: error: the list of endpoints is empty: name at least one"
                ]),
            FlawCase(
                "yes for a boolean",
                replacing: "resumption: true",
                with: "resumption: yes",
                flaws: [
                    "12:38: error: expected true or false, found `yes`: write `true`"
                ]),
            FlawCase(
                "off for a boolean",
                replacing: "resumption: true",
                with: "resumption: off",
                flaws: [
                    "12:38: error: expected true or false, found `off`: write `false`"
                ]),
            FlawCase(
                "True for a boolean",
                replacing: "resumption: true",
                with: "resumption: True",
                flaws: [
                    "12:38: error: expected true or false, found `True`: write `true`"
                ]),
            FlawCase(
                "true in quotes for a boolean",
                replacing: "resumption: true",
                with: #"resumption: "true""#,
                flaws: [
                    "12:38: error: expected true or false, found text: leave the quotes out"
                ]),
            FlawCase(
                "1 for a boolean",
                replacing: "resumption: true",
                with: "resumption: 1",
                flaws: [
                    "12:38: error: expected true or false, found `1`"
                ]),
            FlawCase(
                "a word that is not of the enumeration",
                replacing: "    mode: outbound  ",
                with: "    mode: outbond  ",
                flaws: [
                    "23:11: error: expected one of inbound, outbound, found `outbond`; did you mean `outbound`?"
                ]),
            FlawCase(
                "a TLS version that is not spoken",
                replacing: #"minVersion: "1.3""#,
                with: #"minVersion: "1.1""#,
                flaws: [
                    "12:19: error: expected one of 1.2, 1.3, found `1.1`"
                ]),
            FlawCase(
                "a size without a unit",
                replacing: "idleTimeout: 1h",
                with: "memory: 64",
                flaws: ["57:11: error: expected a size such as 64MiB or 1GiB, found `64`: add a unit, such as `64MiB`"]),
            FlawCase(
                "a size out of range",
                replacing: "idleTimeout: 1h",
                with: "memory: 4MiB",
                flaws: ["57:11: error: expected a size from 8MiB to 1024GiB, found `4MiB`"]),
            FlawCase(
                "a size past the range of the machine",
                replacing: "idleTimeout: 1h",
                with: "memory: 9999999999999GiB",
                flaws: ["57:11: error: expected a size such as 64MiB or 1GiB, found `9999999999999GiB`"]),
            FlawCase(
                "a duration without a unit",
                replacing: "drainTimeout: 30s",
                with: "drainTimeout: 30",
                flaws: [
                    "59:17: error: expected a duration such as 250ms, 10s, 5m or 1h, found `30`: add a unit, such as `30s`"
                ]),
            FlawCase(
                "a duration with an unknown unit",
                replacing: "drainTimeout: 30s",
                with: "drainTimeout: 1d",
                flaws: [
                    "59:17: error: expected a duration such as 250ms, 10s, 5m or 1h, found `1d`"
                ]),
            FlawCase(
                "a duration with a fraction",
                replacing: "drainTimeout: 30s",
                with: "drainTimeout: 1.5s",
                flaws: [
                    "59:17: error: expected a duration such as 250ms, 10s, 5m or 1h, found `1.5s`"
                ]),
            FlawCase(
                "a negative duration",
                replacing: "drainTimeout: 30s",
                with: "drainTimeout: -1s",
                flaws: [
                    "59:17: error: expected a duration such as 250ms, 10s, 5m or 1h, found `-1s`"
                ]),
            FlawCase(
                "a duration out of range",
                replacing: "handshakeTimeout: 5s",
                with: "handshakeTimeout: 5ms",
                flaws: [
                    "54:21: error: expected a duration from 10ms to 10m, found `5ms`"
                ]),
            FlawCase(
                "a duration past the range of the machine",
                replacing: "handshakeTimeout: 5s",
                with: "handshakeTimeout: 9223372036854775807h",
                flaws: [
                    "54:21: error: expected a duration such as 250ms, 10s, 5m or 1h, found `9223372036854775807h`"
                ]),
            FlawCase(
                "an empty name",
                replacing: "  - name: target",
                with: "  - name: ''",
                flaws: [
                    "31:11: error: expected the name of a listener, found empty text"
                ]),
            FlawCase(
                "a name with a line break",
                replacing: "  - name: target",
                with: #"  - name: "tar\nget""#,
                flaws: [
                    "31:11: error: expected the name of a listener, found a line break or control character in it"
                ]),
            FlawCase(
                "a path from the home folder",
                replacing: "certificate: svid.pem",
                with: "certificate: ~/svid.pem",
                flaws: [
                    "3:18: error: `~` is not expanded: write the path in full"
                ]),
            FlawCase(
                "a path that is a folder",
                replacing: "certificate: svid.pem",
                with: "certificate: certs/",
                flaws: [
                    "3:18: error: `certs/` is a folder: name the file in it"
                ]),
            FlawCase(
                "an access log that is nearly a word",
                replacing: "workers: 1  ",
                with: "accessLog: stout  ",
                flaws: [
                    "10:12: error: expected stdout, stderr, off or a path, found `stout`; did you mean `stdout`? (a file of this name is `./stout`)"
                ]),
            FlawCase(
                "a log level that is none",
                replacing: "workers: 1  ",
                with: "log: {level: warn, format: xml}  ",
                flaws: [
                    "10:14: error: expected one of debug, info, notice, warning, error, found `warn`; did you mean `warning`?",
                    "10:28: error: expected one of auto, json, text, found `xml`",
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}

private let groups = """
    expected one of X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, X25519, P-256, P-384, P-521
    """
