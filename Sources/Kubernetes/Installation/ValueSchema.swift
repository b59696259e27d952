import Settings

/// The part of JSON Schema in which `values.schema.json` is written: types, properties, items, enumerations, bounds.
/// Helm checks values by the same file.
struct ValueSchema {
    private let node: SourceNode

    init(_ node: SourceNode) { self.node = node }

    private enum Kind: String {
        case object, array, string, integer, boolean
    }

    private var kind: Kind? { node.value("type")?.text.flatMap(Kind.init) }

    /// Of an object whose keys are fixed.
    private var properties: [(name: String, schema: ValueSchema)]? {
        node.value("properties")?.entries?.compactMap { entry in
            entry.key.text.map { ($0, ValueSchema(entry.value)) }
        }
    }

    /// The value that a node stands for. Throws the first flaw.
    func read(_ node: SourceNode, in file: String) throws(SettingsFlaw) -> Value {
        let found = node.resolved
        switch kind {
        case .object: return try object(found, in: file)
        case .array:
            guard let items = found.items else { throw Self.flaw("expected a list", node, file) }
            guard let schema = self.node.value("items").map(ValueSchema.init) else {
                return try Self.freeForm(found, in: file)
            }
            var values: [Value] = []
            for item in items { values.append(try schema.read(item, in: file)) }
            return .list(values)
        case .string, .integer, .boolean, nil:
            guard case .scalar(let text, let isPlain) = found.content else {
                throw Self.flaw("expected \(expectation)", node, file)
            }
            let isText = !isPlain || Self.isText(text)
            guard isText == (kind == .string), let value = scalar(text) else {
                throw Self.flaw("expected \(expectation), found \(quoted(text))", node, file)
            }
            return value
        }
    }

    /// The value for `--set`, whose kind is that of the schema.
    func value(at path: ArraySlice<String>, _ text: String) throws(ChartFlaw) -> Value {
        guard let name = path.first else {
            guard let value = scalar(text) else { throw ChartFlaw("expected \(expectation), found \(quoted(text))") }
            return value
        }
        guard let properties else { throw ChartFlaw("\(quoted(name)) is in a list or mapping: set it with --values") }
        guard let property = properties.first(where: { $0.name == name }) else {
            throw ChartFlaw("there is no value \(quoted(name))" + Self.suggestion(name, properties.map(\.name)))
        }
        return .mapping([Value.Field(name, try property.schema.value(at: path.dropFirst(), text))])
    }

    // MARK: Private

    private func object(_ node: SourceNode, in file: String) throws(SettingsFlaw) -> Value {
        // Helm takes what is only commented out for absent too.
        if node.isNull { return .mapping([]) }
        guard let entries = node.entries else { throw Self.flaw("expected a mapping", node, file) }
        guard let properties else { return try Self.freeForm(node, in: file) }
        var fields: [Value.Field] = []
        for entry in entries {
            let name = try Self.key(entry, fields, in: file)
            guard let property = properties.first(where: { $0.name == name }) else {
                let suggestion = Self.suggestion(name, properties.map(\.name))
                throw Self.flaw("there is no value \(quoted(name))" + suggestion, entry.key, file)
            }
            fields.append(Value.Field(name, try property.schema.read(entry.value, in: file)))
        }
        return .mapping(fields)
    }

    /// Nil if the text is none of the schema's.
    private func scalar(_ text: String) -> Value? {
        switch kind {
        case .string:
            let isLong = text.utf8.count >= number("minLength") ?? 0
            return isLong && (choices?.contains(text) ?? true) ? .text(text) : nil
        case .integer:
            guard let integer = Int(text), String(integer) == text else { return nil }
            return integer >= number("minimum") ?? .min && integer <= number("maximum") ?? .max ? .plain(text) : nil
        case .boolean:
            return text == "true" || text == "false" ? .plain(text) : nil
        case .object, .array, nil:
            return nil
        }
    }

    private var choices: [String]? { node.value("enum")?.items?.compactMap(\.text) }

    private func number(_ name: String) -> Int? { node.value(name)?.text.flatMap { Int($0) } }

    private var expectation: String {
        switch kind {
        case .string: choices?.joined(separator: ", ") ?? "a text"
        case .integer:
            if let least = number("minimum"), let most = number("maximum") {
                "a number from \(least) to \(most)"
            } else {
                "a number"
            }
        case .boolean: "true or false"
        case .object, .array, nil: "a list or mapping, set with --values"
        }
    }

    /// What Kubernetes itself checks.
    private static func freeForm(_ node: SourceNode, in file: String) throws(SettingsFlaw) -> Value {
        let found = node.resolved
        switch found.content {
        case .mapping(let entries):
            var fields: [Value.Field] = []
            for entry in entries {
                fields.append(
                    Value.Field(try key(entry, fields, in: file), try freeForm(entry.value, in: file)))
            }
            return .mapping(fields)
        case .sequence(let items):
            var values: [Value] = []
            for item in items { values.append(try freeForm(item, in: file)) }
            return .list(values)
        case .scalar(let text, let isPlain):
            if !isPlain || isText(text) { return .text(text) }
            let isNumber = Int(text).map { String($0) == text } ?? false
            guard isNumber || text == "true" || text == "false" else {
                throw flaw("\(quoted(text)) has several readings: write it in quotes", node, file)
            }
            return .plain(text)
        case .alias:
            throw flaw("an alias of nothing", node, file)
        }
    }

    private static func key(
        _ entry: SourceNode.Entry, _ fields: [Value.Field], in file: String
    ) throws(SettingsFlaw) -> String {
        guard let name = entry.key.text, name != "<<" else {
            throw flaw("an alias or a merge key: write it out", entry.key, file)
        }
        guard !fields.contains(where: { $0.key == name }) else {
            throw flaw("a second key \(quoted(name)) in one mapping", entry.key, file)
        }
        return name
    }

    /// Whether text without quotes is text to every YAML parser.
    private static func isText(_ text: String) -> Bool {
        let words = ["", "~", "y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        guard !words.contains(text.lowercased()), let first = text.utf8.first else { return false }
        let mayBeNumber = first.isDigit || "+-.".utf8.contains(first)
        let isNumeric = text.lowercased().utf8.allSatisfy {
            $0.isDigit || "+-._:abcdefox".utf8.contains($0)
        }
        return !(mayBeNumber && (isNumeric || [".inf", ".nan"].contains { text.lowercased().hasSuffix($0) }))
    }

    private static func suggestion(_ name: String, _ names: [String]) -> String {
        nearestName(to: name, among: names).map { "; did you mean \(quoted($0))?" }
            ?? "; there are " + names.joined(separator: ", ")
    }

    private static func flaw(_ message: String, _ node: SourceNode, _ file: String) -> SettingsFlaw {
        SettingsFlaw(.error, at: Position(file: file, line: node.line, column: node.column), message)
    }
}
