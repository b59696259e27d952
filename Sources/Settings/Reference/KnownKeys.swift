/// What `Settings.reference` says of sections, ready to be looked up.
enum KnownKeys {
    /// The keys of a section, in alphabetical order.
    static func of(section: String) -> [String] {
        sections[section] ?? []
    }

    /// The sections that know a key, as the reference writes them.
    static func sections(holding key: String) -> [String] {
        Settings.reference.filter { $0.key == key && !$0.section.isEmpty }.map(\.section)
    }

    private static let sections = Dictionary(grouping: Settings.reference, by: \.section)
        .mapValues { $0.map(\.key).sorted() }
}
