import Foundation
import Testing

@Suite("The sources")
struct TidyTests {
    @Test("no line exceeds 120 columns, except for string literals")
    func width() throws {
        for (file, lines) in try sources() {
            var isInText = false
            for (index, line) in lines.enumerated() {
                let isComment = !isInText && line.drop { $0 == " " }.hasPrefix("//")
                if line.utf8.count > 120, line.count > 120, !isInText {
                    #expect(!isComment && line.contains("\""), "\(file):\(index + 1)")
                }
                if !isComment, line.ranges(of: "\"\"\"").count % 2 == 1 { isInText.toggle() }
            }
        }
    }

    @Test("no type has a vague name")
    func names() throws {
        let vague = ["Manager", "Helper", "Util"]
        let declaration = /\b(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)/
        for (file, lines) in try sources() {
            for line in lines where vague.contains(where: { line.contains($0) }) {
                guard let name = line.firstMatch(of: declaration)?.1 else { continue }
                #expect(!vague.contains { name.contains($0) }, "\(file): \(name)")
            }
        }
    }

    @Test("the README has at most 8 KiB")
    func readme() throws {
        #expect(try Data(contentsOf: root.appendingPathComponent("README.md")).count <= 8 << 10)
    }

    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The lines of each Swift file of ours.
    private func sources() throws -> [(file: String, lines: [Substring])] {
        var found = [("Package.swift", try lines(of: "Package.swift"))]
        for folder in ["Sources", "Tests", "Benchmarks"] {
            let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
            for case let name as String in try #require(names) where name.hasSuffix(".swift") {
                found.append(("\(folder)/\(name)", try lines(of: "\(folder)/\(name)")))
            }
        }
        #expect(found.count > 400)
        return found
    }

    private func lines(of file: String) throws -> [Substring] {
        try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }
}
