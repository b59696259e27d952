import Foundation

/// The blocks of code of the documentation's pages, which tests use as they are written.
enum DocumentedBlock {
    static func all(of page: String) throws -> [(language: String, text: String)] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/postern/Postern.docc/\(page).md")
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.matches(of: /```([a-z]+)\n((?:.|\n)*?)\n```/).map { (String($0.1), String($0.2)) }
    }
}
