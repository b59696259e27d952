extension SettingsReader {
    mutating func admin(_ node: Node) -> AdminSettings? {
        guard let fields = fields(node, section: "admin") else { return nil }
        guard let bind = required("bind", in: fields).flatMap({ self.bind($0, of: "the admin endpoint") }) else {
            return nil
        }
        if bind.value.address.isWildcard {
            warn(
                "the admin endpoint asks nobody who he is, and answers on every address of this host: bind the one that"
                    + " its readers need",
                at: bind.position)
        }
        return AdminSettings(bind: bind)
    }

    mutating func tls(_ node: Node) -> TLSSettings? {
        guard let fields = fields(node, section: "tls") else { return nil }
        let defaults = TLSSettings()
        return TLSSettings(
            minVersion: value(of: "minVersion", in: fields, default: defaults.minVersion) { $0.choice($1) },
            resumption: value(of: "resumption", in: fields, default: defaults.resumption) { $0.boolean($1) })
    }

    mutating func log(_ node: Node) -> LogSettings? {
        guard let fields = fields(node, section: "log") else { return nil }
        let defaults = LogSettings()
        return LogSettings(
            level: value(of: "level", in: fields, default: defaults.level) { $0.choice($1) },
            format: value(of: "format", in: fields, default: defaults.format) { $0.choice($1) })
    }

    mutating func limits(_ node: Node) -> LimitSettings? {
        guard let fields = fields(node, section: "limits") else { return nil }
        var limits = LimitSettings()
        for key in LimitKey.all {
            limits[keyPath: key.property] = value(
                of: key.name, in: fields, default: limits[keyPath: key.property]
            ) { reader, node in
                switch key.unit {
                case .count: reader.integer(node, in: key.allowed)
                case .milliseconds: reader.milliseconds(node, in: key.allowed)
                }
            }
        }
        limits.memoryBytes = value(of: "memory", in: fields, default: nil) { $0.size($1, in: LimitKey.memory) }
        return limits
    }
}
