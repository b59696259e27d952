extension SettingsReader {
    /// Reads a path; a relative one is joined to the settings file's folder.
    mutating func path(_ node: Node) -> String? {
        // PATH_MAX is 4096 with the terminating NUL.
        guard let text = text(node, expected: "a path", bytesAtMost: 4_095) else { return nil }
        guard !text.hasPrefix("~/") else {
            return refuse("`~` is not expanded: write the path in full", at: node.position)
        }
        guard !text.hasSuffix("/") else {
            return refuse("\(quoted(text)) is a folder: name the file in it", at: node.position)
        }
        return joined(text)
    }

    /// Reads the destination of the access log; refuses a misspelt keyword.
    mutating func accessLog(_ node: Node) -> AccessLogChoice? {
        let words = AccessLogChoice.named.compactMap(\.word)
        let expected = words.joined(separator: ", ") + " or a path"
        guard let text = text(node, expected: expected, bytesAtMost: 4_095) else { return nil }
        if let choice = AccessLogChoice.named.first(where: { $0.word == text }) { return choice }
        if !text.contains("/"), let nearest = nearestName(to: text, among: words.sorted()) {
            return refuse(
                "expected \(expected), found \(quoted(text)); did you mean `\(nearest)`? "
                    + "(a file of this name is `./\(text)`)",
                at: node.position)
        }
        return path(node).map { .file($0) }
    }

    private func joined(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + path
    }
}
