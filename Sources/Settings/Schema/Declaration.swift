/// A key's declaration without the type of its value.
struct Declaration: Sendable {
    let name: String
    /// The value to write, in words.
    let type: String
    let form: ValueForm
    /// Without any condition.
    let isRequired: Bool
    /// The default as written in the file; nil if there is none to show.
    let defaultValue: String?
    let meaning: String
    let appliesAt: SettingReference.Moment
    /// The keys of the mappings that are its value.
    let inner: Inner?

    /// The keys below a key.
    struct Inner: Sendable {
        /// The path from the key to them in the reference: empty, `[]` for a list item, `.NAME` for a user-chosen name.
        let step: String
        let declarations: [Declaration]
    }

    /// This key and its descendants, each after its parent.
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
