import ArgumentParser
import Control
import Crypto
import Settings
import System
import Telemetry

/// How findings are written.
enum LintFormat: String, CaseIterable, ExpressibleByArgument {
    /// With the line, and a caret under the place.
    case text
    case json
    /// SARIF 2.1.0, which GitHub and editors show.
    case sarif
    /// GitLab's report of code quality.
    case gitlab

    func write(_ findings: [PolicyLint.Finding], version: String) -> String {
        switch self {
        case .text: findings.map(Self.text).joined(separator: "\n")
        case .json: Self.json(findings)
        case .sarif: Self.sarif(findings, version)
        case .gitlab: Self.gitlab(findings)
        }
    }

    private static func text(_ finding: PolicyLint.Finding) -> String {
        let position = finding.flaw.position
        guard let line = line(position.line, of: position.file) else { return finding.flaw.description }
        let before = line.prefix(max(0, position.column - 1)).map { $0 == "\t" ? "\t" : " " }.joined()
        return "\(finding.flaw)\n  \(line)\n  \(before)^"
    }

    private static func line(_ number: Int, of file: String) -> Substring? {
        guard let text = FileContents.text(path: file, limitBytes: Settings.bytesAtMost) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(number - 1), lines[number - 1].utf8.count <= 400 else { return nil }
        // Whoever writes the file must not write to the terminal of who looks at it.
        let shown = lines[number - 1].unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar == "\t" || scalar.properties.generalCategory != .control ? scalar : "?"
        }
        return Substring(String(String.UnicodeScalarView(shown)))
    }

    private static func json(_ findings: [PolicyLint.Finding]) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.beginArray("findings")
        for finding in findings {
            json.beginObject()
            json.field("check", finding.check.rawValue)
            json.field("severity", finding.flaw.severity.rawValue)
            json.field("file", finding.flaw.position.file)
            json.field("line", finding.flaw.position.line)
            json.field("column", finding.flaw.position.column)
            json.field("message", finding.flaw.message)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.text
    }

    private static func sarif(_ findings: [PolicyLint.Finding], _ version: String) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
        json.field("version", "2.1.0")
        json.beginArray("runs")
        json.beginObject()
        json.beginObject("tool")
        json.beginObject("driver")
        json.field("name", "postern")
        json.field("version", version)
        json.beginArray("rules")
        for check in PolicyLint.Check.allCases {
            json.beginObject()
            json.field("id", check.rawValue)
            json.beginObject("shortDescription")
            json.field("text", check.summary)
            json.endObject()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        json.endObject()
        json.beginArray("results")
        for finding in findings {
            json.beginObject()
            json.field("ruleId", finding.check.rawValue)
            json.field("level", finding.flaw.severity.rawValue)
            json.beginObject("message")
            json.field("text", finding.flaw.message)
            json.endObject()
            json.beginArray("locations")
            json.beginObject()
            json.beginObject("physicalLocation")
            json.beginObject("artifactLocation")
            json.field("uri", finding.flaw.position.file)
            json.endObject()
            json.beginObject("region")
            json.field("startLine", finding.flaw.position.line)
            json.field("startColumn", finding.flaw.position.column)
            json.endObject()
            json.endObject()
            json.endObject()
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.text
    }

    private static func gitlab(_ findings: [PolicyLint.Finding]) -> String {
        var json = JSONWriter()
        json.beginArray()
        for finding in findings {
            let flaw = finding.flaw
            json.beginObject()
            json.field("description", flaw.message)
            json.field("check_name", finding.check.rawValue)
            // By it a later report tells that it is the same one, also if lines moved.
            let subject = "\(finding.check.rawValue)\n\(flaw.position.file)\n\(flaw.message)"
            json.field("fingerprint", Digest256(sha256: Array(subject.utf8)).map { Hex.text($0.bytes) })
            json.field("severity", flaw.severity == .error ? "major" : "minor")
            json.beginObject("location")
            json.field("path", flaw.position.file)
            json.beginObject("lines")
            json.field("begin", flaw.position.line)
            json.endObject()
            json.endObject()
            json.endObject()
        }
        json.endArray()
        return json.text
    }
}
