import Settings
import Testing

@Suite("YAML: every flaw has its position")
struct YAMLFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "an empty file",
                text: "",
                flaws: [
                    "1:1: error: the file is empty: it needs at least `identity` and `listeners`"
                ]),
            FlawCase(
                "comments alone",
                text: "# nothing\n",
                flaws: [
                    "1:1: error: the file is empty: it needs at least `identity` and `listeners`"
                ]),
            FlawCase(
                "nothing but null",
                text: "~\n",
                flaws: [
                    "1:1: error: expected a mapping of keys to values, found nothing"
                ]),
            FlawCase(
                "a list",
                text: "- a\n",
                flaws: [
                    "1:1: error: expected a mapping of keys to values, found a list"
                ]),
            FlawCase(
                "a tab as indentation",
                text: """
                    admin:
                    	bind: 127.0.0.1:80

                    """,
                flaws: [
                    "2:1: error: not YAML: while scanning for the next token: found character that cannot start any token; indent with spaces, not tabs"
                ]),
            FlawCase(
                "a star without quotes",
                text: "sni: [*.internal]\n",
                flaws: [
                    "1:8: error: not YAML: while scanning an alias: did not find expected alphabetic or numeric character; write a value that starts with `*` in quotes"
                ]),
            FlawCase(
                "an IPv6 endpoint without quotes",
                text: "bind: [::1]:80\n",
                flaws: [
                    #"1:8: error: not YAML: while parsing a flow node: did not find expected node content; write an IPv6 endpoint in quotes: "[::1]:80""#
                ]),
            FlawCase(
                "an open bracket",
                text: "workers: [1\n",
                flaws: [
                    "2:1: error: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"
                ]),
            FlawCase(
                "a second document",
                replacing: "  drainTimeout: 30s",
                with: """
                      drainTimeout: 30s
                    ---
                    workers: 2
                    """,
                flaws: [
                    "60:1: error: a second document starts here; a file holds one"
                ]),
            FlawCase(
                "an alias to no anchor",
                replacing: "workers: 1  ",
                with: "workers: *cout\n",
                flaws: [
                    "10:10: error: no anchor `&cout` before this alias (text that starts with `*` needs quotes)"
                ]),
            FlawCase(
                "an alias with a near anchor",
                replacing: "connections: 10000",
                with: """
                    connections: &count 10000
                      concurrentHandshakes: *cout
                      connectTimeout: *count # 
                    """,
                flaws: [
                    "53:16: error: expected a duration such as 250ms, 10s, 5m or 1h, found `10000`: add a unit, such as `10000s`",
                    "54:25: error: no anchor `&cout` before this alias; did you mean `*count`? (text that starts with `*` needs quotes)",
                    "57:3: error: duplicate key `concurrentHandshakes`; first given at line 54, column 3",
                    "58:3: error: duplicate key `connectTimeout`; first given at line 55, column 3",
                ]),
            FlawCase(
                "an alias inside its own anchor",
                replacing: "admin:",
                with: "admin: &a\n  bond: *a",
                flaws: [
                    "9:3: error: unknown key `bond`; did you mean `bind`? (known here: allowChanges, bind, socket)",
                    "9:9: error: alias `*a` stands inside the value it refers to",
                ]),
            FlawCase(
                "an anchor given twice",
                replacing: "  bind: 127.0.0.1:9901\nworkers: 1  ",
                with: "  bind: &n 127.0.0.1:9901\nworkers: &n 1  ",
                flaws: [
                    "10:10: error: anchor `&n` is already defined at line 9, column 9"
                ]),
            FlawCase(
                "a tag",
                replacing: "workers: 1  ",
                with: "workers: !!int 1  ",
                flaws: [
                    "10:10: error: tag `tag:yaml.org,2002:int` is not supported: the key decides the type, so leave it out"
                ]),
            FlawCase(
                "a tag of its own",
                replacing: "workers: 1  ",
                with: "workers: !mine {a: b}  ",
                flaws: [
                    "10:10: error: tag `!mine` is not supported: the key decides the type, so leave it out"
                ]),
            FlawCase(
                "a merge key leaves missing keys untold",
                text: "<<: {identity: {}}\n",
                flaws: [
                    "1:1: error: merge keys (`<<`) are not supported: write the keys out, or alias a whole value"
                ]),
            FlawCase(
                "text of several lines in one message",
                replacing: "certificate: svid.pem ",
                with: """
                    certificate: |
                          svid.pem
                        #
                    """,
                flaws: [
                    "3:18: error: expected a path, found a line break or control character in it"
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
