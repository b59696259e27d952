extension SettingsReader {
    /// Key exchange groups, each named once.
    mutating func keyExchange(_ node: Node) -> [TLSSettings.KeyExchange]? {
        let groups = list(node, of: "key exchange groups", whenEmpty: "name at least one, or leave the key out") {
            $0.keyExchangeGroup($1)
        }
        guard let groups, Set(groups).count < groups.count else { return groups }
        return refuse("a key exchange group is named twice", at: node.position)
    }

    private mutating func keyExchangeGroup(_ node: Node) -> TLSSettings.KeyExchange? {
        if case .scalar(let scalar) = node.content, let name = otherNames[scalar.text.lowercased()] {
            return refuse("the group \(quoted(scalar.text)) is named `\(name.rawValue)` here", at: node.position)
        }
        return choice(node)
    }
}

/// Names that other programs give to the groups.
private let otherNames: [String: TLSSettings.KeyExchange] = [
    "secp256r1": .p256, "prime256v1": .p256, "secp384r1": .p384, "secp521r1": .p521,
]
