import Control
import DataPlane
import Foundation
import Identity
import PosternTesting
import Settings
import Telemetry
import Testing

@Suite("The README and the pages")
struct DocumentationTests {
    @Test("its table of settings is that of the code")
    func settings() {
        let expected = Settings.reference.map { entry in
            let value = entry.type.replacing("|", with: "\\|")
            let meaning = entry.meaning.replacing("|", with: "\\|")
            let standard = entry.defaultValue.map { "`\($0)`" } ?? ""
            return "| `\(entry.path)` | \(value) | \(standard) | \(meaning) |"
        }
        let lines = page("Settings").split(separator: "\n").map(String.init)
        let missing = expected.filter { !lines.contains($0) }
        #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
        let header = lines.firstIndex { $0.hasPrefix("| key | value |") } ?? 0
        #expect(lines[(header + 2)...].prefix { $0.hasPrefix("|") } == expected[...])
    }

    @Test("the page on operating names the settings that apply at the next start, and no others")
    func settingsForNextStart() throws {
        let lines = page("Operating").split(separator: "\n")
        let line = try #require(lines.first { $0.contains("apply at the next start") })
        let named = line.matches(of: /`([^`]+)`/).map { String($0.1) }
        #expect(Set(named) == Set(Settings.reference.filter { $0.appliesAt == .start }.map(\.path)))
    }

    @Test("its table of metrics is that of the code")
    func metrics() {
        let expected = ProxyMetrics.all.map { family in
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(family.name)` | \(family.kind.rawValue) | \(labels) | \(family.help) |"
        }
        let rows = page("Metrics").split(separator: "\n").filter { $0.hasPrefix("| `") && !$0.hasPrefix("| `Postern") }
        #expect(rows.map(String.init) == expected)
        #expect(Set(ProxyMetrics.all.map(\.name)).count == expected.count)
    }

    @Test("its alerts are those of the code, and alerts and dashboard ask for metrics that there are")
    func monitoring() {
        let lines = page("Metrics").split(separator: "\n")
        for rule in AlertRule.all {
            #expect(lines.contains { $0.hasPrefix("| `\(rule.name)` | \(rule.severity.rawValue) | ") }, "\(rule.name)")
        }
        let names = Set(
            ProxyMetrics.all.flatMap { family in
                family.kind == .histogram ? [family.name + "_bucket"] : [family.name]
            })
        let expressions = AlertRule.all.map(\.expression) + Dashboard.panels.flatMap { $0.queries.map(\.expression) }
        var asked: Set<String> = []
        for expression in expressions {
            asked.formUnion(expression.matches(of: /(?:postern|process)_[a-z_]+/).map { String($0.0) })
        }
        #expect(asked.isSubset(of: names), "\(asked.subtracting(names))")
        #expect(asked.count >= 15)
    }

    @Test("it names every reason and every code of a refused certificate")
    func reasons() {
        let text = page("Logs")
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

    @Test("every link leads somewhere, and every page is linked from README and from the catalogue")
    func links() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: catalogue.path).filter { $0.hasSuffix(".md") }
        let index = page("Postern")
        for name in names where name != "Postern.md" {
            #expect(text.contains("/\(name))") && index.contains("(\(name))"), "\(name) is not linked")
        }
        for file in ["README.md"] + names.map({ "Sources/postern/Postern.docc/\($0)" }) {
            let url = root.appendingPathComponent(file)
            let content = try String(contentsOf: url, encoding: .utf8)
            for match in content.matches(of: /\]\(([^)\s]+)\)/) {
                let link = String(match.1)
                if link.hasPrefix("http") { continue }
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let target = parts[0].isEmpty ? url : URL(fileURLWithPath: parts[0], relativeTo: url)
                let there = try? String(contentsOf: target, encoding: .utf8)
                #expect(there != nil, "\(file): \(link)")
                guard parts.count == 2, let there else { continue }
                let anchors = there.split(separator: "\n").filter { $0.hasPrefix("#") }.map {
                    $0.drop { $0 == "#" || $0 == " " }.lowercased().replacing(" ", with: "-")
                }
                #expect(anchors.contains(parts[1]), "\(file): \(link)")
            }
        }
    }

    @Test("each module imports what the page on architecture says, and nothing else")
    func imports() throws {
        var expected: [String: [String]] = [:]
        for line in page("Architecture").split(separator: "\n") {
            guard let match = line.wholeMatch(of: /\| ([\w-]+) \| (.+) \|/), match.1 != "module" else { continue }
            expected[String(match.1)] =
                match.2 == "(nothing)" ? [] : match.2.split(separator: ", ").map(String.init)
        }
        let sources = root.appendingPathComponent("Sources")
        for module in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
            var found: Set<String> = []
            let folder = sources.appendingPathComponent(module)
            let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
            guard files.contains(where: { $0.hasSuffix(".swift") }) else { continue }
            for file in files where file.hasSuffix(".swift") {
                let content = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                for line in content.split(separator: "\n") {
                    if let match = line.wholeMatch(of: /(?:public |internal |package )?import (\w+)/) {
                        found.insert(String(match.1))
                    }
                }
            }
            #expect(found.sorted() == expected[module]?.sorted(), "\(module)")
        }
    }

    private let text: String
    private let root: URL
    private var catalogue: URL { root.appendingPathComponent("Sources/postern/Postern.docc") }

    /// A page of the catalogue; empty where there is none.
    private func page(_ name: String) -> String {
        (try? String(contentsOf: catalogue.appendingPathComponent("\(name).md"), encoding: .utf8)) ?? ""
    }

    init() throws {
        root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        text = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    }
}
