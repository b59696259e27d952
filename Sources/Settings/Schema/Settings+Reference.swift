extension Settings {
    /// Every key of the settings file, in the recommended order.
    public static let reference: [SettingReference] =
        RootKeys.section.declarations.flatMap { $0.references(in: "") }

    /// The sections that have a key, as written in the reference.
    static func sections(holding key: String) -> [String] {
        reference.filter { $0.key == key && !$0.section.isEmpty }.map(\.section)
    }

    /// The paths of the keys that differ from `old` and apply at the next start only.
    public func keysForNextStart(insteadOf old: Settings) -> [String] {
        RootKeys.section.keysForNextStart(from: old, to: self)
    }
}
