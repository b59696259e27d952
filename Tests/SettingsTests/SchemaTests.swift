import PosternTesting
import Testing

@testable import Settings

@Suite("The schema of the settings")
struct SchemaTests {
    @Test("each key that a section knows is a line of the reference")
    func declarations() {
        func paths(_ declarations: [Declaration], _ section: String) -> [String] {
            declarations.flatMap { declaration in
                let inner = declaration.inner
                return [section + declaration.name]
                    + paths(inner?.declarations ?? [], "\(section)\(declaration.name)\(inner?.step ?? "").")
            }
        }
        #expect(paths(RootKeys.section.declarations, "") == Settings.reference.map(\.path))
    }

    /// For each key that applies at the next start, a line that gives it another value than `base` does.
    private static let changes = [
        "admin": "admin: {bind: 127.0.0.1:1}",
        "workers": "workers: 7",
        "eventLoop": "eventLoop: epoll",
        "tls.fips": "tls: {fips: true}",
        "accessLog": "accessLog: stderr",
        "log": "log: {format: text}",
        "limits.connections": "limits: {connections: 7}",
        "limits.memory": "limits: {memory: 64MiB}",
    ]

    @Test("a change of a key that applies at the next start reports that key only")
    func nextStart() throws {
        let paths = Settings.reference.filter { $0.appliesAt == .start }.map(\.path)
        // A key that is declared so from now on needs a change here.
        try #require(Set(paths) == Set(Self.changes.keys))
        let old = try #require(Settings.of(Self.base))
        for path in paths {
            let new = try #require(Settings.of(Self.base + "\n" + (Self.changes[path] ?? "")))
            #expect(new.keysForNextStart(insteadOf: old) == [path])
            #expect(old.keysForNextStart(insteadOf: new) == [path])
            #expect(new.keysForNextStart(insteadOf: new) == [])
        }
    }

    @Test("all of them are reported at once, in the order of the reference")
    func allOfThem() throws {
        let old = try #require(Settings.of(Self.base))
        let text = """
            log: {level: error}
            admin: {bind: 127.0.0.1:1}
            accessLog: "off"
            workers: 3
            limits: {connections: 7, memory: 64MiB, idleTimeout: 5m}
            tls: {resumption: false}
            """
        let new = try #require(Settings.of(Self.base + "\n" + text))
        #expect(
            new.keysForNextStart(insteadOf: old) == [
                "admin", "workers", "accessLog", "log", "limits.connections", "limits.memory",
            ])
    }

    @Test(
        "a key that applies at once is not reported",
        arguments: [
            ("tls: {resumption: true}", "tls: {resumption: false}"), ("connectTimeout: 2s", "connectTimeout: 3s"),
            ("127.0.0.1:15443", "127.0.0.1:15445"), ("svid.key", "other.key"), ("legacy", "old"),
        ])
    func atOnce(old: String, new: String) throws {
        let before = try #require(Settings.of(exampleSettings))
        let after = try #require(
            Settings.of(exampleSettings.replacing(#"minVersion: "1.3", "#, with: "").replacing(old, with: new)))
        #expect(after != before)
        #expect(after.keysForNextStart(insteadOf: before) == [])
    }

    @Test("settings that differ in comments, layout and the names of files alone are equal")
    func equality() throws {
        let settings = try #require(Settings.of(exampleSettings))
        let moved = "# A comment.\n\n" + exampleSettings.replacing("workers: 1 ", with: "\nworkers:   1 # One.")
        #expect(Settings.of(moved) == settings)
        #expect(Settings.of(exampleSettings, file: "other.yaml") == settings)
        // Relative paths are those of the file's folder.
        #expect(Settings.of(exampleSettings, file: "/etc/p.yaml") != settings)
    }

    @Test(
        "settings that differ in a value are not",
        arguments: [
            ("certificate: svid.pem", "certificate: other.pem"), ("partner.test: partner.pem", "partner.test: p.pem"),
            ("9901", "9902"), ("workers: 1 ", "workers: 2 "), ("eventLoop: auto", "eventLoop: epoll"),
            ("resumption: true", "resumption: false"), ("- name: target", "- name: target2"),
            ("sni: [orders.internal]", "sni: [other.internal]"), ("127.0.0.1:19000", "127.0.0.1:19001"),
            ("sa/server\"]", "sa/other\"]"), ("builtin: echo", "builtin: discard"), ("mode: enforce", "mode: audit"),
            ("name: checkout", "name: check"), ("127.0.0.0/8", "127.0.0.0/9"),
            ("drainTimeout: 30s", "drainTimeout: 31s"),
        ])
    func differences(old: String, new: String) throws {
        let changed = try #require(Settings.of(exampleReplacing(old, with: new)))
        #expect(changed != Settings.of(exampleSettings))
    }

    private static let base = """
        identity: {workloadAPI: "unix:/run/agent.sock"}
        listeners:
          - {name: a, mode: inbound, bind: "127.0.0.1:2", routes: [{name: r, upstream: {builtin: echo}, policy: p}]}
        policies: {p: {rules: [{name: r, action: allow, identities: [spiffe://a.test/b]}]}}
        """
}

extension Settings {
    fileprivate static func of(_ text: String, file: String = "p.yaml") -> Settings? {
        parse(text: Array(text.utf8), file: file).settings
    }
}
