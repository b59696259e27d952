import Settings
import Testing

@Suite("Addresses and names: every flaw has its position")
struct AddressesFlawTests {
    @Test(
        "each flaw has this message",
        arguments: [
            FlawCase(
                "a URL",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: http://127.0.0.1:15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `http://127.0.0.1:15001`: an endpoint has neither scheme nor path"#
                ]),
            FlawCase(
                "a variable",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: ${POD_IP}:15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `${POD_IP}:15001`: variables are not replaced in this file: write the address itself"#
                ]),
            FlawCase(
                "a host name",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: example.org:15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `example.org:15001`: names are not resolved: write an IP address"#
                ]),
            FlawCase(
                "an endpoint without a port",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: 127.0.0.1",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `127.0.0.1`: the port is missing"#
                ]),
            FlawCase(
                "a port alone",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: 15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `15001`: the address before the port is missing: 127.0.0.1 for this host, 0.0.0.0 for every address of it"#
                ]),
            FlawCase(
                "a colon and a port",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: :15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `:15001`: the address before the port is missing: 127.0.0.1 for this host, 0.0.0.0 for every address of it"#
                ]),
            FlawCase(
                "a port past 65535",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: 127.0.0.1:65536",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `127.0.0.1:65536`: the port must be a number up to 65535"#
                ]),
            FlawCase(
                "a number that is no address",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: 127.0.0.256:15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `127.0.0.256:15001`: not an IP address"#
                ]),
            FlawCase(
                "IPv6 without brackets",
                replacing: "    bind: 127.0.0.1:15001",
                with: #"    bind: "::1:15001""#,
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `::1:15001`: an IPv6 address needs brackets"#
                ]),
            FlawCase(
                "IPv6 without a port",
                replacing: "    bind: 127.0.0.1:15001",
                with: #"    bind: "[::1]""#,
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `[::1]`: the port is missing"#
                ]),
            FlawCase(
                "port 0 of an upstream",
                replacing: #"["127.0.0.1:19000"]"#,
                with: #"["127.0.0.1:0"]"#,
                flaws: [
                    "20:32: error: port 0 cannot be dialled: name the port of the upstream"
                ]),
            FlawCase(
                "a wildcard upstream",
                replacing: #"["127.0.0.1:19000"]"#,
                with: #"["0.0.0.0:19000"]"#,
                flaws: [
                    "20:32: error: 0.0.0.0 cannot be dialled: name an address of the upstream"
                ]),
            FlawCase(
                "an upstream named twice",
                replacing: #"["127.0.0.1:19000"]"#,
                with: #"["127.0.0.1:19000", "127.0.0.1:19000"]"#,
                flaws: [
                    "20:51: error: the endpoint 127.0.0.1:19000 is named twice"
                ]),
            FlawCase(
                "a listener's bind taken by another listener",
                replacing: "    bind: 127.0.0.1:15444",
                with: "    bind: 127.0.0.1:15443",
                flaws: [
                    "33:11: error: the listener `target` binds 127.0.0.1:15443, which the listener `orders` takes with 127.0.0.1:15443 at line 16"
                ]),
            FlawCase(
                "a wildcard over an address",
                replacing: "    bind: 127.0.0.1:15444",
                with: "    bind: 0.0.0.0:15443",
                flaws: [
                    "33:11: error: the listener `target` binds 0.0.0.0:15443, which the listener `orders` takes with 127.0.0.1:15443 at line 16"
                ]),
            FlawCase(
                "the admin endpoint on a listener's address",
                replacing: "  bind: 127.0.0.1:9901",
                with: "  bind: 127.0.0.1:15001",
                flaws: [
                    "9:9: error: the admin endpoint binds 127.0.0.1:15001, which the listener `to-orders` takes with 127.0.0.1:15001 at line 24"
                ]),
            FlawCase(
                "a Unix socket of the admin endpoint that has no path, and changes that are allowed nowhere",
                replacing: "  bind: 127.0.0.1:9901",
                with: "  socket: {mode: \"0660\"}\n  allowChanges: true",
                flaws: [
                    "9:11: error: the key `path` is missing here",
                    "10:3: error: `allowChanges` has no place here: a Unix socket takes changes anyway",
                ]),
            FlawCase(
                "a relative path of the admin endpoint's Unix socket",
                replacing: "  bind: 127.0.0.1:9901",
                with: "  socket: {path: admin.sock}",
                flaws: ["9:18: error: `admin.sock` is no Unix socket: ..."]),
            FlawCase(
                "an abstract Unix socket of the admin endpoint, which everyone may use",
                replacing: "  bind: 127.0.0.1:9901",
                with: "  socket: {path: \"@admin\"}",
                flaws: ["9:18: error: expected an absolute path, such as /run/postern/admin.sock"]),
            FlawCase(
                "address blocks",
                replacing: #"sources: ["127.0.0.0/8"]"#,
                with: "sources: [10.0.0.1/8, 10.0.0.0/33, ten]",
                flaws: [
                    "45:19: error: address block `10.0.0.1/8`: ...",
                    "45:31: error: address block `10.0.0.0/33`: ...",
                    "45:44: error: address block `ten`: ...",
                ]),
            FlawCase(
                "ports",
                replacing: "match: {sni: [orders.internal]}",
                with: "match: {destinationPorts: [0, 70000, 9-8, http]}",
                flaws: [
                    "19:36: error: port `0`: ...",
                    "19:39: error: port `70000`: ...",
                    "19:46: error: port `9-8`: ...",
                    "19:51: error: port `http`: ...",
                ]),
            FlawCase(
                "server names",
                replacing: "match: {sni: [orders.internal]}",
                with: #"match: {sni: ["a*.b", "*", "a..b", "a b"]}"#,
                flaws: [
                    "19:23: error: server name `a*.b`: ...",
                    "19:31: error: server name `*`: ...",
                    "19:36: error: server name `a..b`: ...",
                    "19:44: error: server name `a b`: ...",
                ]),
            FlawCase(
                "localhost",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: localhost:15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `localhost:15001`: names are not resolved: write 127.0.0.1 or "[::1]""#
                ]),
            FlawCase(
                "a port with a zero in front",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: 127.0.0.1:015001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `127.0.0.1:015001`: the port must be a number up to 65535"#
                ]),
            FlawCase(
                "a bind taken by a listener without a name",
                replacing: """
                      - name: target
                        mode: inbound
                        bind: 127.0.0.1:15444
                    """,
                with: "  - mode: inbound\n    bind: 127.0.0.1:15443",
                flaws: [
                    "31:5: error: the key `name` is missing here",
                    "32:11: error: the listener at line 31 binds 127.0.0.1:15443, which the listener `orders` takes with 127.0.0.1:15443 at line 16",
                ]),
        ])
    func flaws(_ flawCase: FlawCase) {
        let told = SettingsTests.flaws(of: flawCase.text)
        #expect(flawCase.expects(told), "told: \(told)")
    }
}
