/// One key of the settings file: the only declaration of its name, type, range and meaning.
///
/// A `Section` lists the keys of a mapping and where their values are stored. Known keys, suggestions, the reference
/// and the list of keys that apply at the next start are derived from these declarations.
struct Key<Value: Sendable>: Sendable {
    let name: String
    let type: ValueType<Value>
    let need: Need
    let meaning: String

    init(_ name: String, _ type: ValueType<Value>, need: Need = .optional, _ meaning: String) {
        self.name = name
        self.type = type
        self.need = need
        self.meaning = meaning
    }

    /// The same key with a default.
    func or(_ fallback: Value) -> DefaultedKey<Value> {
        DefaultedKey(key: self, fallback: fallback)
    }

    /// The declaration without the value's type.
    func declaration(fallback: Value?, appliesAt: SettingReference.Moment = .now) -> Declaration {
        Declaration(
            name: name, type: type.words + need.words, form: type.form, isRequired: need.isAlways,
            defaultValue: fallback.flatMap { type.written($0) },
            meaning: meaning, appliesAt: appliesAt, inner: type.inner)
    }
}

/// A key not stored by key path, and its default.
struct DefaultedKey<Value: Sendable>: Sendable {
    let key: Key<Value>
    let fallback: Value
}

/// Whether a key is required in its section.
enum Need: Sendable {
    case optional, required
    /// The condition as the reference words it: `on outbound`.
    case requiredWhen(String)

    fileprivate var isAlways: Bool { if case .required = self { true } else { false } }

    fileprivate var words: String {
        switch self {
        case .optional: ""
        case .required: ", required"
        case .requiredWhen(let condition): ", required \(condition)"
        }
    }
}

/// Anything that stands for a key of the file; prints as its name in backquotes.
protocol NamedKey: Sendable, CustomStringConvertible {
    var name: String { get }
}

extension NamedKey {
    var description: String { "`\(name)`" }
}

extension Key: NamedKey {}

extension DefaultedKey: NamedKey {
    var name: String { key.name }
}
