import Foundation
import Authority
import PosternTesting
import Testing

@Suite("The command line")
struct CommandTests {
    @Test(
        "help and version are results, wrong usage is an error with code 2",
        arguments: [
            (["--version"], 0, "postern 0.1.0"), (["--help"], 0, "SUBCOMMANDS"), (["help", "run"], 0, "SIGHUP"),
            (["run", "--help"], 0, "--config"), (["explain", "-h"], 0, "--identity"), (["dev", "--help"], 0, "PORT"),
            (["run"], 2, "--config"), (["bogus"], 2, "bogus"), (["check", "-c"], 2, "--config"),
            (["explain", "-c", "x", "--listener", "l", "--identity", "i", "--port", "70000"], 2, "70000"),
            (["ca", "init", "--trust-domain", "a", "--out", "/tmp/x", "--days", "0"], 2, "--days"),
            (["ca", "issue", "--key", "rsa1024"], 2, "rsa1024"),
        ] as [([String], Int32, String)])
    func usage(arguments: [String], status: Int32, text: String) throws {
        let result = try Postern.run(arguments)
        #expect(result.status == status)
        let said = status == 0 ? result.output : result.complaints
        #expect(said.contains(text), "\(result)")
        #expect((status == 0 ? result.complaints : result.output).isEmpty)
    }

    @Test("check accepts a good file and sums it up")
    func checkGood() throws {
        let site = try Site()
        let result = try Postern.run(["check", "--config", site.settings])
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result)")
        #expect(result.output.hasPrefix("\(site.settings): ok\n"))
        #expect(result.output.contains("spiffe://example.org/ns/default/sa/server"))
        let json = try Postern.run(["check", "--config", site.settings, "--json"])
        #expect(
            json.output.hasPrefix(
                #"{"config":"\#(site.settings)","ok":true,"id":"spiffe://example.org/ns/default/sa/server","notAfter":""#
            ))
    }

    @Test("check and run print every flaw with its position, and end with 2", arguments: ["check", "run"])
    func flaws(command: String) throws {
        let site = try Site { $0.replacing("workers: 2", with: "wrokers: 2\nlog: {level: loud}") }
        let result = try Postern.run([command, "--config", site.settings])
        #expect(result.status == 2 && result.output.isEmpty)
        let lines = result.complaints.split(separator: "\n")
        // Of `run`, which logs, they are lines of the log.
        let flaw = { (line: Substring) -> String in
            guard command == "run" else { return String(line) }
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["line"] is Int ? object?["message"] as? String ?? "" : ""
        }
        #expect(lines.count == 2 && lines.allSatisfy { flaw($0).hasPrefix("\(site.settings):") }, "\(result)")
        #expect(lines.contains { $0.contains(": error: ") && $0.contains("workers") })
    }

    @Test("run ends with 2 where a port is in use")
    func portInUse() throws {
        let site = try Site()
        let holder = listening(on: site.outboundPort)
        defer { close(holder) }
        let result = try Postern.run(["run", "--config", site.settings])
        #expect(result.status == 2)
        #expect(result.complaints.contains("Address already in use"), "\(result)")
    }

    @Test(
        "explain ends with 0 where bytes are forwarded, 1 where not, 2 on bad input",
        arguments: [
            ("app", "spiffe://example.org/a", 0), ("app", "spiffe://example.org/ns/legacy/a", 1),
            ("app", "spiffe://example.org/a/", 2), ("nope", "spiffe://example.org/a", 2),
        ] as [(String, String, Int32)])
    func explain(listener: String, identity: String, status: Int32) throws {
        let site = try Site()
        let arguments = ["explain", "-c", site.settings, "--listener", listener, "--identity", identity]
        let result = try Postern.run(arguments)
        #expect(result.status == status, "\(result)")
        #expect(result.output.isEmpty == (status == 2))
        let json = try Postern.run(arguments + ["--json"])
        #expect(json.status == status)
        if status < 2 { #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any]) }
    }

    @Test("check accepts the output of ca init and issue, which overwrite nothing without --force")
    func authority() throws {
        let site = try Site()
        let folder = site.folder.file("ca")
        #expect(try Postern.run(["ca", "init", "--trust-domain", "example.org", "--out", folder]).status == 0)
        let issue = [
            "ca", "issue", "--ca", folder, "--id", "spiffe://example.org/ns/default/sa/server", "--out",
            site.folder.path,
        ]
        let kept = try Postern.run(issue)
        #expect(kept.status == 2 && kept.complaints.contains("--force"), "\(kept)")
        #expect(try Postern.run(issue + ["--force", "--key", "rsa2048"]).status == 0)
        #expect(try Postern.run(["check", "-c", site.settings]).status == 0)
        // Whose bundle.pem is there matters more than that it is there.
        let other = site.folder.file("other")
        #expect(try Postern.run(["ca", "init", "--trust-domain", "other.test", "--out", other]).status == 0)
        let foreign = ["ca", "issue", "--ca", other, "--id", "spiffe://other.test/a", "--out", site.folder.path]
        let refused = try Postern.run(foreign + ["--name", "foreign"])
        #expect(
            refused.status == 2 && refused.complaints.contains("bundle.pem belongs to another authority"), "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: site.folder.file("foreign.key")))
        #expect(try Postern.run(["check", "-c", site.settings]).status == 0)
        let again = try Postern.run(["ca", "init", "--trust-domain", "example.org", "--out", folder])
        #expect(again.status == 2)
        for key in [folder + "/ca.key", site.folder.file("svid.key")] {
            let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test(
        "ca refuses a flawed authority, and an ID outside its trust domain",
        arguments: [
            (["--id", "spiffe://other.test/a"], "trust domain is example.org"),
            (["--id", "spiffe://example.org"], "must have a path"), (["--id", "example.org/a"], "--id"),
        ])
    func badIssue(arguments: [String], text: String) throws {
        let folder = try TemporaryFolder()
        #expect(try Postern.run(["ca", "init", "--trust-domain", "example.org", "--out", folder.path]).status == 0)
        let result = try Postern.run(["ca", "issue", "--ca", folder.path, "--out", folder.path] + arguments)
        #expect(result.status == 2 && result.complaints.contains(text), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("svid.key")))
    }

    @Test("a leaf, or an authority with another key, issues nothing")
    func notAnAuthority() throws {
        let folder = try TemporaryFolder()
        let authority = try CertificateAuthority(trustDomain: "example.org")
        let leaf = try authority.issue()
        let issue = ["ca", "issue", "--ca", folder.path, "--id", "spiffe://example.org/a", "--out", folder.path]
        try leaf.write(certificate: folder.file("ca.pem"), privateKey: folder.file("ca.key"))
        #expect(try Postern.run(issue).complaints.contains("not that of an authority"))
        try writeFile(authority.certificatePEM, path: folder.file("ca.pem"), mode: 0o644)
        #expect(try Postern.run(issue).complaints.contains("does not belong to the certificate"))
    }
}

@Suite("The demo")
struct DemoTests {
    @Test("an allowed and a refused call do what they say, and Ctrl-C leaves nothing behind")
    func echo() throws {
        let demo = try Demo([])
        let folder = try demo.folder()
        let calls = try demo.output().split(separator: "\n").filter { $0.contains("/dev/tcp/") }
        try #require(calls.count == 2)
        #expect(try ControlTests.run("bash", "-c", String(calls[0])).output == "hello\n")
        #expect(try ControlTests.run("bash", "-c", String(calls[1])).output.contains("hello") == false)
        #expect(try eventually { try demo.output().contains(#""decision":"deny""#) })
        #expect(demo.end(SIGINT) == 0)
        #expect(!FileManager.default.fileExists(atPath: folder))
        let log = try demo.output()
        #expect(log.contains(#""peerId":"spiffe://dev.postern.test/ns/dev/sa/intruder""#))
        #expect(log.contains(#""reason":"policy-denied""#))
    }

    @Test("the user's application gets its port, and its exit status is the demo's")
    func application() throws {
        // Perl is part of every Debian. The demo's own look at whether the port is open sends nothing.
        let script = """
            use IO::Socket::INET;
            my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{PORT}, Listen => 9) or die;
            while (my $connection = $listener->accept) {
                $connection->recv(my $text, 100);
                next unless length $text;
                $connection->send("from the application");
                $connection->close;
                exit 7;
            }
            """
        let demo = try Demo(["--", "perl", "-e", script])
        let folder = try demo.folder()
        let lines = try demo.output().split(separator: "\n")
        let line = try #require(lines.first { $0.contains("curl -sS http://127.0.0.1:") })
        let port = try #require(UInt16(line.split(separator: ":").last?.filter(\.isNumber) ?? ""))
        #expect(exchange("GET / HTTP/1.0\r\n\r\n", port: port) == "from the application")
        #expect(demo.awaitEnd() == 7)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("an application that cannot be started is an error, and leaves nothing behind")
    func noApplication() throws {
        let result = try Postern.run(["dev", "--", "/nowhere/application"])
        #expect(result.status == 1 && result.complaints.contains("/nowhere/application"), "\(result)")
    }
}
