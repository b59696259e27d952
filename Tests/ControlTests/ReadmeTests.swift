import DataPlane
import Foundation
import Identity
import Settings
import Testing

@Suite("The README")
struct ReadmeTests {
    @Test("its table of settings is that of the code")
    func settings() {
        let expected = Settings.reference.map { entry in
            let value = entry.type.replacing("|", with: "\\|")
            let meaning = entry.meaning.replacing("|", with: "\\|")
            let standard = entry.defaultValue.map { "`\($0)`" } ?? ""
            return "| `\(entry.path)` | \(value) | \(standard) | \(meaning) |"
        }
        let lines = text.split(separator: "\n").map(String.init)
        let missing = expected.filter { !lines.contains($0) }
        #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
        let known = Set(expected)
        let header = lines.firstIndex { $0.hasPrefix("| key | value |") } ?? 0
        let rows = lines[(header + 2)...].prefix { $0.hasPrefix("|") }
        #expect(rows.allSatisfy { known.contains($0) })
    }

    @Test("it names every reason and every code of a refused certificate")
    func reasons() {
        for reason in CloseReason.allCases { #expect(text.contains("`\(reason.rawValue)`")) }
        for refusal in SVIDRefusal.allCases { #expect(text.contains("`\(refusal.rawValue)`")) }
        for code in ["closed", "tls-fault"] { #expect(text.contains("`\(code)`")) }
    }

    @Test("its tour works as written")
    func tour() throws {
        let folder = try TemporaryFolder()
        let demo = folder.file("demo")
        let issue = ["ca", "issue", "--ca", demo, "--out", demo, "--id"]
        #expect(try Postern.run(["ca", "init", "--trust-domain", "example.org", "--out", demo]).status == 0)
        for name in ["server", "client"] {
            let id = "spiffe://example.org/ns/default/sa/\(name)"
            #expect(try Postern.run(issue + [id, "--name", name]).status == 0)
        }
        let examples = text.split(separator: "```yaml\n").dropFirst().map { $0.split(separator: "\n```")[0] }
        try #require(examples.count == 2)
        for (name, example) in zip(["server", "client"], examples) {
            try String(example).write(toFile: "\(demo)/\(name).yaml", atomically: true, encoding: .utf8)
            let result = try Postern.run(["check", "--config", "\(demo)/\(name).yaml"])
            #expect(result.status == 0, "\(result)")
        }
        let answer = try Postern.run([
            "explain", "--config", "\(demo)/server.yaml", "--listener", "orders", "--identity",
            "spiffe://example.org/ns/legacy/sa/a",
        ])
        #expect(answer.status == 1 && answer.output.contains("rule no-legacy"), "\(answer)")
    }

    private let text: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        text = try String(
            contentsOf: root.deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
    }
}
