/// A key of a section, and how its value is stored in the model.
struct Entry<Target: Sendable>: Sendable {
    let name: String
    /// Takes the initial values of the section.
    let declaration: @Sendable (Target) -> Declaration
    /// Reads the key and adds its value to the landing.
    var land: @Sendable (inout SettingsReader, Fields, inout Landing<Target>) -> Void = { _, _, _ in }
    var keysForNextStart: @Sendable (_ old: Target, _ new: Target) -> [String] = { _, _ in [] }
}

extension Entry {
    /// A key that the section's own function reads.
    static func key<Value>(_ key: Key<Value>) -> Entry {
        Entry(name: key.name) { _ in key.declaration(fallback: nil) }
    }

    static func key<Value>(_ key: DefaultedKey<Value>) -> Entry {
        Entry(name: key.name) { _ in key.key.declaration(fallback: key.fallback) }
    }

    /// A key whose default is the property's initial value.
    static func key<Value: Equatable>(
        _ key: Key<Value>, at property: any WritableKeyPath<Target, Value> & Sendable,
        appliesAt moment: SettingReference.Moment = .now
    ) -> Entry {
        landing(key, moment) {
            $0[keyPath: property]
        } assign: {
            $0[keyPath: property] = $1
        } differs: {
            $0[keyPath: property] != $1[keyPath: property]
        }
    }

    /// A key without a default: the property stays nil.
    static func key<Value: Equatable>(
        _ key: Key<Value>, at property: any WritableKeyPath<Target, Value?> & Sendable,
        appliesAt moment: SettingReference.Moment = .now
    ) -> Entry {
        landing(key, moment) {
            $0[keyPath: property]
        } assign: {
            $0[keyPath: property] = $1
        } differs: {
            $0[keyPath: property] != $1[keyPath: property]
        }
    }

    /// A mapping whose keys are all stored by key path.
    static func section<Inner: Equatable>(
        _ name: String, _ section: Section<Inner>, at property: any WritableKeyPath<Target, Inner> & Sendable,
        appliesAt moment: SettingReference.Moment = .now, _ meaning: String
    ) -> Entry {
        let key = Key(name, .mapping(section) { $0.value(of: section, $1) }, meaning)
        var entry = Entry.key(key, at: property, appliesAt: moment)
        if moment == .now {
            entry.keysForNextStart = { old, new in
                section.keysForNextStart(from: old[keyPath: property], to: new[keyPath: property])
                    .map { "\(name).\($0)" }
            }
        }
        return entry
    }

    private static func landing<Value>(
        _ key: Key<Value>, _ moment: SettingReference.Moment,
        fallback: @escaping @Sendable (_ initial: Target) -> Value?,
        assign: @escaping @Sendable (inout Target, Value) -> Void,
        differs: @escaping @Sendable (_ old: Target, _ new: Target) -> Bool
    ) -> Entry {
        Entry(name: key.name) {
            key.declaration(fallback: fallback($0), appliesAt: moment)
        } land: { reader, fields, landing in
            landing.add(reader.given(key, in: fields), of: key, in: fields, assign: assign)
        } keysForNextStart: {
            moment == .start && differs($0, $1) ? [key.name] : []
        }
    }
}
