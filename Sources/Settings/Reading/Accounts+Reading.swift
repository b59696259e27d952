import System

extension SettingsReader {
    /// A user of this host, by name or number.
    mutating func user(_ node: Node) -> UInt32? { account(node, "user", Accounts.user) }

    /// A group of this host, by name or number.
    mutating func group(_ node: Node) -> UInt32? { account(node, "group", Accounts.group) }

    /// Permission bits, in octal digits as chmod(1) takes them.
    mutating func permissions(_ node: Node) -> UInt32? {
        let expected = "permissions such as \"0660\""
        guard let text = scalar(node, expected: expected)?.text else { return nil }
        guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8), text.allSatisfy(\.isNumber),
            mode <= 0o777
        else { return refuse("expected \(expected), found \(quoted(text))", at: node.position) }
        return mode
    }

    private mutating func account(_ node: Node, _ kind: String, _ find: (String) -> UInt32?) -> UInt32? {
        guard let scalar = scalar(node, expected: "a \(kind) of this host, by name or number") else { return nil }
        // The largest number stands for nobody in the system's calls.
        if scalar.style == .plain, let number = UInt32(scalar.text), number != .max { return number }
        if let number = find(scalar.text) { return number }
        return refuse("no \(kind) of this host is named \(quoted(scalar.text))", at: node.position)
    }
}
