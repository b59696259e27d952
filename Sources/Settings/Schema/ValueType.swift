import Policy

/// The type of a key's value: its description, its parser, and how a default is shown.
struct ValueType<Value: Sendable>: Sendable {
    /// Parses a value; reports a flaw and returns nil.
    typealias Read = @Sendable (inout SettingsReader, Node) -> Value?

    let words: String
    let read: Read
    /// Formats a value as written in the file; nil if the reference shows no default.
    let written: @Sendable (Value) -> String?
    let inner: Declaration.Inner?
    let form: ValueForm

    init(
        _ words: String, inner: Declaration.Inner? = nil, form: ValueForm = .any,
        written: @escaping @Sendable (Value) -> String? = { _ in nil },
        read: @escaping Read
    ) {
        self.words = words
        self.read = read
        self.written = written
        self.inner = inner
        self.form = form
    }
}

extension ValueType<Node> {
    /// A value that depends on its siblings: the section's own function reads it.
    static func node(_ words: String) -> Self {
        ValueType(words, form: words.hasPrefix("list of ") ? .list : .any) { $1 }
    }

    static func mapping<Target>(_ section: Section<Target>) -> Self { inner("mapping", "", section) }

    static func list<Target>(of section: Section<Target>) -> Self { inner("list of mappings", "[]", section) }

    /// - Parameter name: the placeholder for a name in the reference, in capitals.
    static func mapping<Target>(of words: String, _ name: String, _ section: Section<Target>) -> Self {
        inner("mapping of \(words)", ".\(name)", section)
    }

    private static func inner<Target>(_ words: String, _ step: String, _ section: Section<Target>) -> Self {
        ValueType(words, inner: Declaration.Inner(step: step, declarations: section.declarations)) { $1 }
    }
}

extension ValueType {
    /// A mapping, read by a function of its own.
    static func mapping<Target>(_ section: Section<Target>, read: @escaping Read) -> Self {
        ValueType("mapping", inner: ValueType<Node>.mapping(section).inner, read: read)
    }
}

extension ValueType<Bool> {
    static var boolean: Self {
        ValueType("true | false", form: .boolean, written: { "\($0)" }, read: { $0.boolean($1) })
    }
}

extension ValueType where Value: CaseIterable & RawRepresentable<String> {
    /// One of the words of an enumeration.
    static var choice: Self {
        ValueType(
            Value.allCases.map(\.rawValue).joined(separator: " | "), form: .words(Value.allCases.map(\.rawValue)),
            written: { $0.rawValue }, read: { $0.choice($1) })
    }
}

extension ValueType<Int> {
    static func count(_ allowed: ClosedRange<Int>) -> Self {
        range("number", allowed, form: .integer(allowed), written: { "\($0)" }, read: { $0.integer($1, in: allowed) })
    }

    /// In milliseconds.
    static func duration(_ allowed: ClosedRange<Int>) -> Self {
        range(
            "duration", allowed, form: .scalar, written: { "\(DurationText($0))" },
            read: { $0.milliseconds($1, in: allowed) })
    }

    /// In bytes.
    static func size(_ allowed: ClosedRange<Int>) -> Self {
        range("size", allowed, form: .scalar, written: { "\(SizeText($0))" }, read: { $0.size($1, in: allowed) })
    }

    private static func range(
        _ kind: String, _ allowed: ClosedRange<Int>, form: ValueForm, written: @escaping @Sendable (Int) -> String,
        read: @escaping Read
    ) -> Self {
        ValueType(
            "\(kind), \(written(allowed.lowerBound)) to \(written(allowed.upperBound))", form: form, written: written,
            read: read)
    }
}

extension ValueType<String> {
    static var path: Self { ValueType("path", form: .scalar) { $0.path($1) } }
}

extension ValueType<[String]> {
    static var applicationProtocols: Self { ValueType("list of texts", form: .list) { $0.applicationProtocols($1) } }
}

extension ValueType<[TLSSettings.KeyExchange]> {
    static var keyExchange: Self { ValueType("list of groups", form: .list) { $0.keyExchange($1) } }
}

extension ValueType<[ServerNamePattern]> {
    static var serverNames: Self {
        ValueType("list of server names", form: .list) {
            $0.condition($1, of: "server names") { $0.serverNamePattern($1) }
        }
    }
}

extension ValueType<UInt32> {
    /// The number of a user of this host.
    static var user: Self { ValueType("name or number", form: .scalar) { $0.user($1) } }
    /// The number of a group of this host.
    static var group: Self { ValueType("name or number", form: .scalar) { $0.group($1) } }
}

extension ValueType<[CIDR]> {
    static var addressBlocks: Self {
        ValueType("list of address blocks", form: .list) {
            $0.condition($1, of: "address blocks") { $0.addressBlock($1) }
        }
    }
}

extension ValueType<[PortRange]> {
    static var ports: Self {
        ValueType("list of ports", form: .list) { $0.condition($1, of: "ports") { $0.portRange($1) } }
    }
}
