import ApplicationHealth
import Kubernetes
import PosternTesting
import Settings
import Testing

@Suite("The application's probes")
struct ProbeTests {
    private let injection: Injection

    init() throws {
        injection = try #require(Injection(image: "postern:1", version: "1"))
    }

    private func inject(_ text: String) throws -> (text: String, warnings: [String]) {
        let result = try injection.inject(Array(text.utf8), file: "m")
        #expect(try Injection.uninject(result.text, file: "m").text == Array(text.utf8))
        return (String(decoding: result.text, as: UTF8.self), result.reports[0].warnings.map(\.description))
    }

    private static func pod(_ container: String) -> String {
        let lines = container.split(separator: "\n").map { "    \($0)\n" }.joined()
        return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: orders\n\(lines)"
    }

    @Test("those over the network ask the proxy, which has the original ones; exec probes stay")
    func rewritten() throws {
        let (text, warnings) = try inject(
            Self.pod(
                """
                ports: [{name: http, containerPort: 8080}]
                startupProbe:
                  # slow
                  tcpSocket: {port: 5432}
                  failureThreshold: 30   # long
                readinessProbe:
                  periodSeconds: 2
                  httpGet:   # from the kubelet
                    path: /ready?full=1
                    port: http
                    scheme: HTTPS
                    httpHeaders:
                    - {name: X-Who, value: "it's \\"me\\" for $(HOME)"}   # me
                  timeoutSeconds: 3
                livenessProbe: {grpc: {port: 9001, service: orders.v1}, periodSeconds: 5}
                """))
        #expect(warnings.isEmpty)
        for line in [
            #"      # slow\#n      httpGet: {"path": "/app-health/orders/startupz", "port": 15000}\#n"#,
            #"      httpGet: {"path": "/app-health/orders/readyz", "port": 15000}   # me\#n      timeoutSeconds: 3\#n"#,
            #"livenessProbe: {"httpGet": {"path": "/app-health/orders/livez", "port": 15000}, periodSeconds: 5}"#,
        ] {
            #expect(text.contains(line), "\(text)")
        }
        let variable = try #require(text.firstMatch(of: /name: POSTERN_APP_PROBES\n *value: '(.*)'\n/)).1
        #expect(
            variable.replacing("''", with: "'") == #"""
                {"/app-health/orders/startupz": {"tcpSocket": {"port": 5432}}, \#
                "/app-health/orders/readyz": {"httpGet": {"path": "/ready?full=1", "port": 8080, "scheme": "HTTPS", \#
                "httpHeaders": [{"name": "X-Who", "value": "it's \"me\" for \u0024(HOME)"}]}, "timeoutSeconds": 3}, \#
                "/app-health/orders/livez": {"grpc": {"port": 9001, "service": "orders.v1"}}}
                """#, "\(variable)")
    }

    @Test("the proxy takes what is injected, up to its limits")
    func taken() throws {
        let header = "{name: X, value: \(String(repeating: "v", count: 4_096))}"
        let headers = Array(repeating: header, count: 16).joined(separator: ", ")
        let service = String(repeating: "s", count: 1_024)
        let (text, _) = try inject(
            Self.pod(
                """
                startupProbe: {tcpSocket: {port: 65535}, timeoutSeconds: 5000}
                readinessProbe: {httpGet: {port: 1, path: 'é "$(X)" \\ \u{1F6AA}', scheme: HTTPS, httpHeaders: [\(headers)]}}
                livenessProbe: {grpc: {port: 2, service: \(service)}}
                """))
        let variable = try #require(text.firstMatch(of: /name: POSTERN_APP_PROBES\n *value: (["'])(.*)["']\n/))
        let json =
            variable.1 == "'"
            ? variable.2.replacing("''", with: "'")
            : variable.2.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
        let probes = try ProbeList(parsing: String(json)).probes
        #expect(probes["/app-health/orders/startupz"]?.request == .tcp)
        #expect(probes["/app-health/orders/startupz"]?.timeoutMilliseconds == 600_000)
        #expect(probes["/app-health/orders/livez"]?.request == .grpc(service: service))
        guard case .http(let http)? = probes["/app-health/orders/readyz"]?.request else {
            Issue.record("\(probes)")
            return
        }
        #expect(http.isSecure && http.headers.count == 16 && http.headers[15].value.utf8.count == 4_096)
        #expect(http.target == #"/%C3%A9%20"$(X)"%20\%20%F0%9F%9A%AA"#, "\(http.target)")
    }

    @Test("those that need no proxy stay as they are")
    func kept() throws {
        let probes = """
            ports: [{name: http, containerPort: 9100}]
            startupProbe: {exec: {command: ["true"]}}
            readinessProbe: {httpGet: {port: http}}
            livenessProbe: {httpGet: {port: 8080, host: 192.0.2.1}}
            """
        let annotated = Self.pod(probes).replacing(
            "metadata:\n", with: "metadata:\n  annotations: {postern.dev/skip-inbound-ports: 9000-9200}\n")
        let (text, warnings) = try inject(annotated)
        #expect(warnings.isEmpty && !text.contains("app-health"), "\(warnings) \(text)")
        let none = try inject(
            Self.pod("livenessProbe: {grpc: {port: 1}}").replacing(
                "metadata:\n", with: "metadata:\n  annotations: {postern.dev/redirection: none}\n"))
        #expect(none.warnings.isEmpty && !none.text.contains("app-health"))
    }

    @Test("what the inbound listener will refuse is told of")
    func warnings() throws {
        let probes = """
            lifecycle: {preStop: {httpGet: {port: 8080, path: /stop}}, postStart: {exec: {command: [a]}}}
            readinessProbe: {tcpSocket: {port: web}}
            """
        let (text, warnings) = try inject(Self.pod(probes))
        #expect(!text.contains("app-health"))
        try #require(warnings.count == 2, "\(warnings)")
        #expect(warnings[0].hasPrefix("m:9:33: warning: the readinessProbe of `orders` names no port"), "\(warnings)")
        #expect(warnings[1].hasPrefix("m:8:36: warning: the preStop hook of `orders` calls port `8080`"))
        let keep = try inject(
            Self.pod("livenessProbe: {grpc: {port: 1}}").replacing(
                "metadata:\n", with: "metadata:\n  annotations: {postern.dev/probes: keep}\n"))
        #expect(!keep.text.contains("app-health"))
        #expect(try #require(keep.warnings.first).contains("the livenessProbe of `orders` asks port 1 in plaintext"))
    }

    @Test("those that cannot be rewritten may be kept, wherever they come from")
    func keptAnywhere() throws {
        for container in [
            "{name: a, livenessProbe: &p {grpc: {port: 1}}, readinessProbe: *p}",
            "{name: a, <<: {livenessProbe: {grpc: {port: 1}}}}",
        ] {
            let text = "{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [\(container)]}}"
            #expect {
                try injection.inject(Array(text.utf8), file: "m")
            } throws: { error in
                (error as? InjectionRefusal)?.flaws[0].message.hasSuffix("by `postern.dev/probes: keep`") ?? false
            }
            let keep = text.replacing("metadata: {}", with: "metadata: {annotations: {postern.dev/probes: keep}}")
            let kept = try inject(keep).text
            #expect(!kept.contains("app-health"))
        }
    }

    @Test("a removal restores them where a cluster or another program has written the manifest anew")
    func rewrittenSince() throws {
        let written = #"""
            {"/app-health/a/livez": {"text": "httpGet:\n          path: /x   # here\n          port: web", "column": 9}, \#
            "/app-health/a/readyz": {"text": "\"grpc\":{\"port\":1}", "column": 0}}
            """#
        let quotes = written.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let text = """
            apiVersion: v1
            kind: Pod
            metadata: {annotations: {postern.dev/injected: "9", a: b}, name: a}
            spec:
              containers:
              - image: a
                livenessProbe:
                  failureThreshold: 3
                  httpGet:
                    path: /app-health/a/livez
                    port: 15000
                    scheme: HTTP
                name: a
                readinessProbe:
                  httpGet: {path: /app-health/a/readyz, port: 15000, scheme: HTTP}
              initContainers:
              - env:
                - {name: POSTERN_APP_PROBES_WRITTEN, value: "\(quotes)"}
                name: postern-proxy
              volumes: []

            """
        let removed = try Injection.uninject(Array(text.utf8), file: "m")
        #expect(
            String(decoding: removed.text, as: UTF8.self) == """
                apiVersion: v1
                kind: Pod
                metadata: {annotations: {a: b}, name: a}
                spec:
                  containers:
                  - image: a
                    livenessProbe:
                      failureThreshold: 3
                      httpGet: {"path": "/x", "port": "web"}
                    name: a
                    readinessProbe:
                      grpc: {"port": 1}
                  volumes: []

                """)
    }

    @Test(
        "a record that is no handler is refused: it could write anything into the manifest",
        arguments: [
            #"httpGet: {port: 1}\n      exec: {command: [a]}"#, #"httpGet: {port: 1}\n    image: evil"#,
            #"command: [a]"#, #"httpGet: [}"#, #"httpGet: {port: 1}\n---\na: b"#, "",
        ])
    func hostile(_ written: String) throws {
        let text = """
            apiVersion: v1
            kind: Pod
            metadata:
              annotations: {postern.dev/injected: "9"}
            spec:
              initContainers:
              - name: postern-proxy
                env:
                - name: POSTERN_APP_PROBES_WRITTEN
                  value: '{"/app-health/a/livez": {"text": "\(written)", "column": 7}}'
              containers:
              - name: a
                livenessProbe:
                  httpGet: {path: /app-health/a/livez, port: 15000}

            """
        #expect(throws: InjectionRefusal.self) {
            try Injection.uninject(Array(text.utf8), file: "m")
        }
    }

    @Test("probes longer than an environment variable may be are refused")
    func long() throws {
        let text = Self.pod("livenessProbe: {httpGet: {port: 1, path: /\(String(repeating: "x", count: 120_000))}}")
        #expect(throws: InjectionRefusal.self) { try injection.inject(Array(text.utf8), file: "m") }
    }
}
