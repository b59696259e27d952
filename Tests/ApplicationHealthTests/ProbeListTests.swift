import ApplicationHealth
import Testing

@Suite("The list of an application's probes")
struct ProbeListTests {
    @Test("has a probe for each path, as Kubernetes writes it, with its defaults")
    func whole() throws {
        let list = try ProbeList(
            parsing: """
                {"/app-health/orders/livez": {"httpGet": {"path": "/healthz?full=1", "port": 8080, "scheme": "HTTPS",
                  "httpHeaders": [{"name": "Host", "value": "orders.test"}, {"name": "X", "value": "y"}]},
                  "timeoutSeconds": 3, "periodSeconds": 10, "failureThreshold": 3},
                 "/app-health/orders/readyz": {"tcpSocket": {"port": 5432}},
                 "/app-health/a-1/startupz": {"grpc": {"port": 9000, "service": "orders"}},
                 "/app-health/b/livez": {"httpGet": {"port": 80, "path": "no slash/\u{e4}"}}}
                """)
        let orders = try #require(list.probes["/app-health/orders/livez"])
        #expect(orders.port == 8080 && orders.timeoutMilliseconds == 3_000)
        guard case .http(let http) = orders.request else { throw Unexpected() }
        #expect(http.isSecure && http.target == "/healthz?full=1" && http.host == "orders.test")
        let text = String(
            decoding: http.request(target: http.target, host: "orders.test", userAgent: "kube-probe/1.34"),
            as: UTF8.self)
        #expect(
            text
                == "GET /healthz?full=1 HTTP/1.1\r\nHost: orders.test\r\nUser-Agent: kube-probe/1.34\r\nAccept: */*\r\n"
                + "X: y\r\nConnection: close\r\n\r\n")
        #expect(list.probes["/app-health/orders/readyz"]?.request == .tcp)
        #expect(list.probes["/app-health/orders/readyz"]?.timeoutMilliseconds == 1_000)
        #expect(list.probes["/app-health/a-1/startupz"]?.request == .grpc(service: "orders"))
        guard case .http(let plain)? = list.probes["/app-health/b/livez"]?.request else { throw Unexpected() }
        #expect(plain.target == "/no%20slash/%C3%A4" && !plain.isSecure)
        #expect(list.probes.count == 4)
    }

    @Test(
        "is refused whole if any of it is flawed",
        arguments: [
            ("[]", "no JSON object"), ("{", "cannot be read"), ("\u{0}", "cannot be read"),
            (#"{"/app-health/a/livez": {}}"#, "needs one of"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 1}, "grpc": {"port": 1}}}"#, "needs one of"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 0}}}"#, "0 is no port"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 65536}}}"#, "65536 is no port"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": "http"}}}"#, "wrong type"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 1, "host": "10.0.0.1"}}}"#, "has a `host`"),
            (#"{"/app-health/a/livez": {"httpGet": {"port": 1, "host": "10.0.0.1"}}}"#, "has a `host`"),
            (#"{"/app-health/a/livez": {"httpGet": {"port": 1, "scheme": "FTP"}}}"#, "neither HTTP nor HTTPS"),
            (
                #"{"/app-health/a/livez": {"httpGet": {"port": 1, "httpHeaders": [{"name": "A", "value": "b\r\nC: d"}]}}}"#,
                "no header"
            ),
            (
                #"{"/app-health/a/livez": {"httpGet": {"port": 1, "httpHeaders": [{"name": "A: b", "value": ""}]}}}"#,
                "no header"
            ),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 1}, "timeoutSeconds": 0}}"#, "timeoutSeconds"),
            (#"{"/app-health/a/livez": {"tcpSocket": {"port": 1}, "timeoutSeconds": 601}}"#, "timeoutSeconds"),
            (#"{"/livez": {"tcpSocket": {"port": 1}}}"#, "no path such as"),
            (#"{"/app-health/a/metrics": {"tcpSocket": {"port": 1}}}"#, "no path such as"),
            (#"{"/app-health/A_/livez": {"tcpSocket": {"port": 1}}}"#, "no path such as"),
            (#"{"/app-health/../livez": {"tcpSocket": {"port": 1}}}"#, "no path such as"),
        ])
    func flawed(text: String, reason: String) {
        let error = #expect(throws: ProbeListFlaw.self) { try ProbeList(parsing: text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test(
        "a path is a URL's, of which the fragment is not sent, or else a path as a whole",
        arguments: [
            ("/a?b=c#d", "/a?b=c"), ("/a#b?c", "/a"), ("#a", "/"), ("", "/"), ("a", "/a"), ("/a?b=%zz", "/a?b=%zz"),
            ("/%20a", "/%20a"), ("/%zz?a#b", "/%25zz%3Fa%23b"), ("/100%", "/100%25"), ("/a#%", "/a%23%25"),
        ])
    func path(written: String, sent: String) throws {
        let list = try ProbeList(
            parsing: "{\"/app-health/a/livez\": {\"httpGet\": {\"port\": 1, \"path\": \"\(written)\"}}}")
        guard case .http(let http)? = list.probes["/app-health/a/livez"]?.request else { throw Unexpected() }
        #expect(http.target == sent)
    }

    @Test("no header ends its line: a line feed in a value or path stays in it")
    func injection() throws {
        let list = try ProbeList(
            parsing: #"{"/app-health/a/livez": {"httpGet": {"port": 1, "path": "/x HTTP/1.1\r\nX: y\r\n\r\nGET /z"}}}"#)
        guard case .http(let http)? = list.probes["/app-health/a/livez"]?.request else { throw Unexpected() }
        #expect(http.target == "/x%20HTTP/1.1%0D%0AX:%20y%0D%0A%0D%0AGET%20/z")
    }
}

@Suite("Where an application's answer leads")
struct ProbeTargetTests {
    static let here = ProbeTarget(isSecure: false, port: 8080, path: "/a/b?c=d")

    @Test(
        "to this host, at any port and scheme",
        arguments: [
            ("/next", ProbeTarget(isSecure: false, port: 8080, path: "/next")),
            ("next?x#y", ProbeTarget(isSecure: false, port: 8080, path: "/a/next?x")),
            ("?x", ProbeTarget(isSecure: false, port: 8080, path: "/a/b?x")),
            ("http://10.0.0.1:8080/x", ProbeTarget(isSecure: false, port: 8080, path: "/x")),
            ("HTTPS://10.0.0.1/x", ProbeTarget(isSecure: true, port: 443, path: "/x")),
            ("https://10.0.0.1:8443", ProbeTarget(isSecure: true, port: 8443, path: "/")),
            ("//10.0.0.1/x", ProbeTarget(isSecure: false, port: 80, path: "/x")),
            ("/a b\r\nX: y", ProbeTarget(isSecure: false, port: 8080, path: "/a%20b%0D%0AX:%20y")),
        ])
    func followed(location: String, target: ProbeTarget) {
        #expect(Self.here.following(location: location, host: "10.0.0.1") == target)
    }

    @Test(
        "to no other host",
        arguments: [
            "http://10.0.0.2/", "http://10.0.0.1.test/", "//evil.test/x", "https://user@10.0.0.1/", "ftp://10.0.0.1/",
            "http://10.0.0.1:0/", "http://10.0.0.1:99999/", "http://10.0.0.1:8080:80/", "javascript:alert(1)", "",
            "http://10.0.0.1@evil.test/",
        ])
    func refused(location: String) {
        #expect(Self.here.following(location: location, host: "10.0.0.1") == nil)
    }

    @Test("an IPv6 address has brackets, or none")
    func brackets() {
        let target = Self.here.following(location: "http://[fd00::1]:81/x", host: "fd00::1")
        #expect(target == ProbeTarget(isSecure: false, port: 81, path: "/x"))
        #expect(Self.here.following(location: "http://[fd00::1]/x", host: "[FD00::1]")?.port == 80)
        #expect(Self.here.following(location: "http://[fd00::2]/x", host: "[fd00::1]") == nil)
    }
}

@Suite("The head of an HTTP response")
struct HTTPHeadTests {
    @Test(
        "is read in whatever pieces it comes",
        arguments: [
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, nil), ("HTTP/1.0 500\r\nA: b\r\n\r\nbody", 500, nil),
            ("HTTP/1.1 302 Found\nlocation:  /x \n\n", 302, "/x"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nLocation: a\r\nLocation: b\r\n\r\n", 200, "a"),
        ] as [(String, Int, String?)])
    func whole(text: String, status: Int, location: String?) throws {
        for size in 1...text.utf8.count {
            var head = HTTPHead()
            var response: HTTPHead.Response?
            var rest = Array(text.utf8)[...]
            while response == nil, !rest.isEmpty {
                response = try head.take(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(response == .some(try #require(response)) && response?.status == status)
            #expect(response?.location == location)
        }
    }

    @Test(
        "what is none is refused early",
        arguments: [
            ("SSH-2.0-OpenSSH\r\n", HTTPHead.Flaw.notHTTP), ("\u{15}\u{3}\u{1}", .notHTTP),
            ("HTTP/2 200\r\n\r\n", .notHTTP),
            ("HTTP/1.1 abc OK\r\n\r\n", .notHTTP), ("HTTP/1.1 999 OK\r\n\r\n", .notHTTP), ("\r\n\r\n", .notHTTP),
        ])
    func refused(text: String, flaw: HTTPHead.Flaw) {
        #expect(throws: flaw) {
            var head = HTTPHead()
            _ = try head.take(Array(text.utf8))
        }
    }

    @Test("a head without end, and one that ends early, are refused")
    func bounds() throws {
        var head = HTTPHead()
        #expect(try head.take(Array("HTTP/1.1 200 OK\r\n".utf8)) == nil)
        #expect(throws: HTTPHead.Flaw.tooLarge) {
            for _ in 0..<100 { _ = try head.take(Array(repeating: UInt8(ascii: "a"), count: 1_000)) }
        }
        var interim = HTTPHead()
        #expect(throws: HTTPHead.Flaw.tooManyInterim) {
            for _ in 0..<9 { _ = try interim.take(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        }
        var short = HTTPHead()
        #expect(try short.take(Array("HTTP/1.1 2".utf8)) == nil)
        #expect(throws: HTTPHead.Flaw.endedEarly) { _ = try short.take([UInt8]()) }
    }
}

struct Unexpected: Error {}
