import Foundation
import Loopback
import PosternTesting
import Testing

/// `postern policy lint`, `test` and `diff`, `check` without keys, and guardrails.
@Suite("Policy as code")
struct PolicyToolsTests {
    @Test("the page's commands run as they are written, and print what it shows")
    func page() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("postern"), withDestinationPath: PosternBinary.path())
        var output = ""
        for block in try DocumentedBlock.all(of: "PolicyAsCode") {
            if let name = block.text.firstMatch(of: /^# ([a-z]+\.yaml)\n/)?.1 {
                try folder.write(block.text + "\n", to: String(name))
            }
            guard block.language == "sh" else { continue }
            let process = try ChildProcess(
                ["bash", "-euo", "pipefail", "-c", block.text], in: folder.path,
                environment: ["PATH": "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"])
            #expect(process.awaitExit(within: .seconds(60)) == .code(0), "\(block.text)\n\(process.standardError.text)")
            output += process.standardOutput.text + process.standardError.text
        }
        // Blocks without a language are what is printed.
        for shown in try Self.page().matches(of: /\n\n```\n((?:.|\n)*?)\n```\n/) {
            #expect(output.contains(shown.1), "\(shown.1) is not in \(output)")
        }
        #expect(output.contains("refused: rule no-ci of policy orders"))
        let report = try String(contentsOfFile: folder.file("junit.xml"), encoding: .utf8)
        #expect(report.contains(#"tests="4" failures="0""#))
        for name in ["postern.sarif", "gl-code-quality-report.json"] {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
            #expect(try JSONSerialization.jsonObject(with: data) is NSObject)
        }
    }

    @Test("lint shows the place, and each format has it; several rules together hide another one")
    func lint() throws {
        let folder = try TemporaryFolder()
        try Self.settings(
            """
                - {name: low, action: deny, identities: ["spiffe://example.org/a/**"], sources: ["::/0", 0.0.0.0/1]}
                - {name: high, action: deny, identities: ["spiffe://example.org/a/**"], sources: [128.0.0.0/1]}
                - {name: hidden, action: allow, identities: ["spiffe://example.org/a/b"]}
                - {name: open, action: allow, identities: ["spiffe://example.org/c/**"]}
            """, in: folder, "s.yaml")
        let text = try PosternBinary.run(["policy", "lint", "s.yaml"], in: folder)
        #expect(text.exit == .code(1))
        let place = try #require(
            text.output.firstMatch(of: /s\.yaml:(\d+):(\d+): warning: the rule `hidden` never decides/))
        let lines = text.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines[1].contains("name: hidden"), "\(text.output)")
        #expect(lines[2] == String(repeating: " ", count: 2 + Int(place.2)! - 1) + "^")
        func json(_ format: String) throws -> Any {
            let result = try PosternBinary.run(["policy", "lint", "s.yaml", "--format", format], in: folder)
            #expect(result.exit == .code(1))
            return try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        }
        let sarif = try #require(try json("sarif") as? [String: Any])
        let run = try #require((sarif["runs"] as? [[String: Any]])?.first)
        let results = try #require(run["results"] as? [[String: Any]])
        #expect(results.count == 1 && results[0]["ruleId"] as? String == "unreachable-rule")
        let quality = try #require(try json("gitlab") as? [[String: Any]])
        #expect(quality.count == 1 && (quality[0]["fingerprint"] as? String)?.count == 64)
        #expect((quality[0]["location"] as? [String: Any])?["path"] as? String == "s.yaml")
        let plain = try #require(try json("json") as? [String: Any])
        #expect((plain["findings"] as? [[String: Any]])?.first?["line"] as? Int == Int(place.1))
        // Known identities: one a line, or a log.
        try folder.write(
            "# known\nspiffe://example.org/a/b\n{\"peerId\":\"spiffe://example.org/a/c\"}\n{}\n", to: "known")
        let known = try PosternBinary.run(["policy", "lint", "s.yaml", "--identities", "known"], in: folder)
        #expect(known.output.contains("the rule `open` matches none of the 2 known identities"))
        try folder.write("nobody\n", to: "known")
        let bad = try PosternBinary.run(["policy", "lint", "s.yaml", "--identities", "known"], in: folder)
        #expect(bad.exit == .code(2) && bad.errors.contains("known:1: \"nobody\" is no SPIFFE ID"))
        #expect(try PosternBinary.run(["policy", "lint", "none.yaml"], in: folder).exit == .code(2))
    }

    @Test("test compares effect, route and rule, and says what no case is decided by")
    func cases() throws {
        let folder = try TemporaryFolder()
        try Self.settings(
            """
                - {name: no, action: deny, identities: ["spiffe://example.org/a/x"]}
                - {name: yes, action: allow, identities: ["spiffe://example.org/a/**"]}
            """, in: folder, "s.yaml")
        try folder.write(
            """
            settings: s.yaml
            cases:
              - {name: "a<b", listener: in, identity: spiffe://example.org/a/x, expect: allow}
              - {name: rule, listener: in, identity: spiffe://example.org/a/b, expect: allow, rule: no}
              - {name: listener, listener: out, identity: spiffe://example.org/a/b, expect: allow}
              - {name: plain, listener: in, plaintext: true, expect: deny}
              - {name: good, listener: in, identity: spiffe://example.org/a/b, expect: allow, route: r, rule: yes}

            """, to: "cases.yaml")
        let result = try PosternBinary.run(["policy", "test", "cases.yaml", "--junit", "j.xml"], in: folder)
        #expect(result.exit == .code(1))
        for part in [
            "cases.yaml: a<b: expected allow, but it is refused: rule no of policy p",
            "cases.yaml: rule: expected the rule `no`, but it is allowed: rule yes",
            "cases.yaml: listener: there is no listener `out`", "2 of 5 cases as expected",
            "2 of 2 rules decide a case",
        ] { #expect(result.output.contains(part), "\(part): \(result.output)") }
        let report = try String(contentsOfFile: folder.file("j.xml"), encoding: .utf8)
        #expect(report.contains(#"name="a&lt;b"><failure message="expected allow"#))
        for (text, complaint) in [
            ("cases: []", "the list of cases is empty"),
            ("settings: s.yaml\ncases: [{name: a, listener: in, expect: allow}]", "a case has either `identity`"),
            ("cases: [{name: a, listener: in, plaintext: true, expect: deny}]", "name the settings"),
            ("settings: s.yaml\ncases: [{name: a, listener: in, plaintext: true, expect: no}]", "allow, deny, would"),
            (
                "settings: s.yaml\ncases: [{name: a, listener: in, identity: x, expect: deny}]",
                "expected a SPIFFE ID, found `x`"
            ),
        ] {
            try folder.write(text + "\n", to: "bad.yaml")
            let result = try PosternBinary.run(["policy", "test", "bad.yaml"], in: folder)
            #expect(result.exit == .code(2) && result.errors.contains(complaint), "\(complaint): \(result.errors)")
        }
    }

    @Test("diff counts the callers of a log that would be treated otherwise")
    func callers() throws {
        let folder = try TemporaryFolder()
        let rules = #"    - {name: a, action: allow, identities: ["spiffe://example.org/a/**"]}"#
        try Self.settings(rules, in: folder, "old.yaml")
        try Self.settings(rules.replacing("a/**", with: "a/b"), in: folder, "new.yaml")
        let line = { (name: String) in
            #"{"listener":"in","route":"r","direction":"inbound","source":"10.0.0.1:5","#
                + #""peerId":"spiffe://example.org/a/\#(name)","policy":"p"}"#
        }
        let log = (["b", "c", "c", "d/e"].map(line) + ["", "no JSON", "{}"]).joined(separator: "\n")
        try folder.write(log, to: "access.log")
        let same = try PosternBinary.run(
            ["policy", "diff", "old.yaml", "old.yaml", "--callers", "access.log"], in: folder)
        #expect(same.exit == .code(0) && same.output.contains("0 of 3 callers would be treated otherwise"))
        let result = try PosternBinary.run(
            ["policy", "diff", "old.yaml", "new.yaml", "--callers", "access.log"], in: folder)
        #expect(result.exit == .code(1))
        #expect(
            result.output.contains(
                "2 of 3 callers would be treated otherwise:\n  now refused: spiffe://example.org/a/c"))
        let json = try PosternBinary.run(
            ["policy", "diff", "old.yaml", "new.yaml", "--json", "--callers", "access.log"], in: folder)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect((object["changedCallers"] as? [[String: String]])?.count == 2 && object["callers"] as? Int == 3)
        #expect(try PosternBinary.run(["policy", "diff", "old.yaml", "none.yaml"], in: folder).exit == .code(2))
    }

    @Test("run refuses what passes a guardrail, at the start and at a reload", arguments: EventLoopKind.allCases)
    func guardrails(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let rule = #"{name: g, action: allow, identities: ["spiffe://example.org/ns/default/**"]}"#
            let rails = try stage.folder.write(
                "guardrails:\n  - {name: own, routes: [application], rules: [\(rule)]}\n", to: "guardrails.yaml")
            let settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "callers")])
            let wide = SettingsFile(
                listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "anyone-trusted")])
            let bad = try stage.folder.write(wide.text(loop: loop), to: "wide.yaml")
            let renamed = try stage.folder.write(
                "guardrails: [{name: own, routes: [application, other], rules: [\(rule)]}]\n", to: "renamed.yaml")
            let missing = try PosternBinary.run(["run", "--config", bad, "--guardrails", renamed], in: stage.folder)
            #expect(missing.errors.contains("is for the inbound route `other`, and there is none"), "\(missing.errors)")
            let refused = try PosternBinary.run(["run", "--config", bad, "--guardrails", rails], in: stage.folder)
            #expect(refused.exit == .code(2) && refused.errors.contains("what the guardrail `own` does not"))
            let proxy = try stage.start(settings, options: ["--guardrails", rails])
            try proxy.awaitReady()
            try proxy.replace(wide.text(loop: loop), in: stage.folder)
            try proxy.awaitLog(containing: "what the guardrail `own` does not")
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.echoes("one\n"))
            client.process.stop()
            // The guardrails are watched too: these allow it.
            try stage.folder.write(
                "guardrails: [{name: own, rules: [\(rule.replacing("example.org/ns/default/**", with: "*/**"))]}]\n",
                to: "guardrails.yaml")
            try proxy.awaitReload()
        }
    }

    @Test("the schema takes the settings of every page, and refuses what `check` refuses first")
    func schema() throws {
        let folder = try TemporaryFolder()
        let schema = try PosternBinary.run(["schema"], in: folder)
        try folder.write(schema.output, to: "schema.json")
        var names: [String] = []
        for page in ["Examples", "Transparent", "PolicyAsCode", "Federation"] {
            for block in try DocumentedBlock.all(of: page) where block.language == "yaml" {
                guard block.text.contains("\nlisteners:") && block.text.contains("identity:") else { continue }
                names.append(try folder.write(block.text, to: "\(names.count).yaml"))
            }
        }
        #expect(names.count >= 4)
        let bad = [
            "listener: []", "listeners: {}", "listeners: [{name: a, mode: sideways}]", "workers: none", "workers: 0",
            "limits: {drainDelay: []}", "policies: {a: {rules: [{action: permit}]}}",
        ]
        for (number, text) in bad.enumerated() { try folder.write(text + "\n", to: "bad\(number).yaml") }
        try folder.write(
            """
            import json, sys, jsonschema, yaml
            schema = json.load(open("schema.json"))
            jsonschema.Draft202012Validator.check_schema(schema)
            check = jsonschema.Draft202012Validator(schema)
            for path in sys.argv[2:]:
                check.validate(yaml.safe_load(open(path)))
            for number in range(int(sys.argv[1])):
                thing = yaml.safe_load(open(f"bad{number}.yaml"))
                errors = [e for e in check.iter_errors(thing) if "required" not in e.validator]
                assert errors, thing
            """, to: "validate.py")
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let process = try ChildProcess([python, "validate.py", "\(bad.count)"] + names, in: folder.path)
        #expect(process.awaitExit(within: .seconds(60)) == .code(0), "\(process.standardError.text)")
    }

    private static func page() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(
            contentsOf: root.appendingPathComponent("Sources/postern/Postern.docc/PolicyAsCode.md"), encoding: .utf8)
    }

    /// Settings of one route with a policy of these rules.
    private static func settings(_ rules: String, in folder: TemporaryFolder, _ name: String) throws {
        try folder.write(
            """
            identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: b.pem}}}
            listeners:
              - name: in
                mode: inbound
                bind: 0.0.0.0:8443
                routes: [{name: r, upstream: {builtin: echo}, policy: p}]
            policies:
              p:
                rules:

            """ + rules.split(separator: "\n").map { "  \($0)\n" }.joined(), to: name)
    }
}
