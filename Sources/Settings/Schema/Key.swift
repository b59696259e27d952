/// One key of the settings file: the only place that names it, and says what may be written and what it is for.
///
/// A `Section` lists the keys of a mapping and says where their values land. Known keys, suggestions, the reference and
/// the list of keys that wait for the next start follow from these declarations.
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

    /// The same key with what holds where the file does not give it.
    func or(_ fallback: Value) -> DefaultedKey<Value> {
        DefaultedKey(key: self, fallback: fallback)
    }

    /// What is said of it where its type does not matter.
    func declaration(fallback: Value?, appliesAt: SettingReference.Moment = .now) -> Declaration {
        Declaration(
            name: name, type: type.words + need.words, defaultValue: fallback.flatMap { type.written($0) },
            meaning: meaning, appliesAt: appliesAt, inner: type.inner)
    }
}

/// A key whose value does not land in the model by itself, and what holds without it.
struct DefaultedKey<Value: Sendable>: Sendable {
    let key: Key<Value>
    let fallback: Value
}

/// Whether a section must have a key.
enum Need: Sendable {
    case optional, required
    /// In the words of the reference: `on outbound`.
    case requiredWhen(String)

    fileprivate var words: String {
        switch self {
        case .optional: ""
        case .required: ", required"
        case .requiredWhen(let condition): ", required \(condition)"
        }
    }
}

/// Whatever stands for a key of the file; in messages, its name in backquotes.
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
