import Settings
import Testing

@Suite("Addresses and names: what is wrong is told with its place")
struct AddressesFlawTests {
    @Test(
        "each flaw is told in these words",
        arguments: [
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
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `15001`: the address before the port is missing"#
                ]),
            FlawCase(
                "a colon and a port",
                replacing: "    bind: 127.0.0.1:15001",
                with: "    bind: :15001",
                flaws: [
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `:15001`: the address before the port is missing"#
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
                    #"24:11: error: expected an endpoint such as 127.0.0.1:80 or "[::1]:80", found `::1:15001`: an IPv6 address stands in brackets"#
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
                "address blocks",
                replacing: #"sources: ["127.0.0.0/8"]"#,
                with: "sources: [10.0.0.1/8, 10.0.0.0/33, ten]",
                flaws: [
                    "45:19: error: address block `10.0.0.1/8`: the address has bits set after its prefix: did you mean 10.0.0.0/8?",
                    "45:31: error: address block `10.0.0.0/33`: the prefix length after the slash must be a number from 0 to 32",
                    "45:44: error: address block `ten`: not an IP address block: write it as 10.0.0.0/8, 2001:db8::/32 or a single address",
                ]),
            FlawCase(
                "ports",
                replacing: "match: {sni: [orders.internal]}",
                with: "match: {destinationPorts: [0, 70000, 9-8, http]}",
                flaws: [
                    "19:36: error: port `0`: not a port or range of ports: write 443 or 8000-8999, from 1 to 65535",
                    "19:39: error: port `70000`: not a port or range of ports: write 443 or 8000-8999, from 1 to 65535",
                    "19:46: error: port `9-8`: the range ends before it begins: did you mean 8-9?",
                    "19:51: error: port `http`: not a port or range of ports: write 443 or 8000-8999, from 1 to 65535",
                ]),
            FlawCase(
                "server names",
                replacing: "match: {sni: [orders.internal]}",
                with: #"match: {sni: ["a*.b", "*", "a..b", "a b"]}"#,
                flaws: [
                    "19:23: error: server name `a*.b`: 'a*': a star may only be the whole first label, as in *.example.org",
                    "19:31: error: server name `*`: * alone would match every name: leave the condition out instead",
                    "19:36: error: server name `a..b`: empty label: a server name is labels joined by single dots",
                    "19:44: error: server name `a b`: 'a b' is no label: only 1 to 63 of a-z, 0-9, '-' and '_' are allowed",
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
        ])
    func flaws(_ flawCase: FlawCase) {
        #expect(SettingsTests.flaws(of: flawCase.text) == flawCase.flaws)
    }
}
