extension SettingsReader {
    mutating func admin(_ node: Node) -> AdminSettings? {
        guard let fields = fields(node, of: AdminKeys.section), let node = required(AdminKeys.bind, in: fields),
            let bind = bind(node, of: "the admin endpoint")
        else { return nil }
        if bind.address.isWildcard {
            warn(
                "the admin endpoint asks nobody who he is, and answers on every address of this host: bind the one that"
                    + " its readers need",
                at: node.position)
        }
        return AdminSettings(bind: bind)
    }
}
