/// What a key's declaration says, whatever the type of its value.
struct Declaration: Sendable {
    let name: String
    /// What to write, in words.
    let type: String
    /// As the file would write it; nil if there is nothing to say.
    let defaultValue: String?
    let meaning: String
    let appliesAt: SettingReference.Moment
    /// The keys of the mappings that are its value.
    let inner: Inner?

    /// The keys below a key.
    struct Inner: Sendable {
        /// How the reference writes the step from the key to them: empty, `[]` for an item of a list, `.NAME` for a
        /// name that one chooses.
        let step: String
        let declarations: [Declaration]
    }

    /// This key and those below it, each after the one that holds it.
    ///
    /// - Parameter section: the path of the section; empty at the top of the file.
    func references(in section: String) -> [SettingReference] {
        let path = section.isEmpty ? name : "\(section).\(name)"
        let own = SettingReference(
            section: section, key: name, type: type, defaultValue: defaultValue, meaning: meaning, appliesAt: appliesAt)
        guard let inner else { return [own] }
        return [own] + inner.declarations.flatMap { $0.references(in: path + inner.step) }
    }
}
