import Testing

@testable import Settings

@Suite("Unix sockets in the settings")
struct UnixSocketTests {
    private static func text(_ bind: String, _ extra: String = "", second: String = "127.0.0.1:1") -> String {
        """
        identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
        listeners:
          - name: out
            mode: outbound
            bind: "\(bind)"
            \(extra)
            routes: [{name: far, upstream: {endpoints: ["192.0.2.1:443"], identities: ["spiffe://a.test/**"]}}]
          - name: second
            mode: outbound
            bind: "\(second)"
            routes: [{name: far, upstream: {endpoints: ["192.0.2.1:443"], identities: ["spiffe://a.test/**"]}}]
        """
    }

    @Test(
        "a path and an abstract name are read",
        arguments: [
            ("unix:/run/a.sock", "unix:/run/a.sock"), ("unix:///run/a.sock", "unix:/run/a.sock"),
            ("unix:@a", "unix:@a"),
        ]
    )
    func names(written: String, meant: String) {
        let outcome = outcome(of: Self.text(written))
        #expect(outcome.settings?.listeners[0].bind.description == meant, "\(outcome.flaws)")
    }

    @Test(
        "what is no name of one has its position, and says what is wrong",
        arguments: [
            ("unix:", "is missing"), ("unix:@", "is missing"), ("unix:run/a.sock", "must be absolute"),
            ("unix:/run/", "is a folder"), ("unix:/" + String(repeating: "a", count: 107), "limited to 107 bytes"),
        ])
    func flawed(written: String, message: String) {
        let told = allFlaws(of: Self.text(written))
        #expect(told.count == 1 && told[0].hasPrefix("5:11: error: ") && told[0].contains(message), "\(told)")
    }

    @Test("mode, owner and callers are read, by name or number")
    func access() throws {
        let extra =
            "socket: {mode: 0660, user: daemon, group: \"0\"}\n    callers: {users: [root, 77], groups: [daemon]}"
        let flawed = allFlaws(of: Self.text("unix:/run/a.sock", extra))
        #expect(flawed.count == 1 && flawed[0].contains("no group of this host is named `0`"), "\(flawed)")
        let outcome = outcome(of: Self.text("unix:/run/a.sock", extra.replacing("\"0\"", with: "0")))
        let listener = try #require(outcome.settings?.listeners[0], "\(outcome.flaws)")
        #expect(listener.socket == SocketAccess(mode: 0o660, user: 1, group: 0))
        #expect(listener.callers == CallerSettings(users: [0, 77], groups: [1]))
    }

    @Test(
        "what only a socket's file has, or only a Unix socket can tell, is refused elsewhere",
        arguments: [
            (
                "127.0.0.1:2", "socket: {mode: 0600}",
                "6:5: error: `socket` has no place here: only a Unix socket has a file"
            ),
            ("unix:@a", "socket: {mode: 0600}", "6:5: error: `socket` has no place here: a socket in the abstract"),
            (
                "127.0.0.1:2", "callers: {users: [0]}",
                "6:5: error: `callers` has no place here: only a Unix socket says"
            ),
            ("unix:@a", "callers: {}", "6:14: error: nobody may connect: name `users` or `groups`"),
            ("unix:@a", "callers: {users: [nobody-of-that-name]}", "6:23: error: no user of this host is named"),
            ("unix:/a", "socket: {mode: 0999}", "6:20: error: expected permissions such as \"0660\""),
            ("unix:/a", "socket: {mode: 7777}", "6:20: error: expected permissions such as \"0660\""),
        ])
    func misplaced(bind: String, extra: String, message: String) {
        let told = allFlaws(of: Self.text(bind, extra))
        #expect(told.count == 1 && told[0].hasPrefix(message), "\(told)")
    }

    @Test("two listeners cannot have one socket")
    func twice() {
        let told = allFlaws(of: Self.text("unix:/run/a.sock", second: "unix:///run/a.sock"))
        #expect(told.count == 1 && told[0].contains("which the listener `out` takes at line 5"), "\(told)")
    }
}
