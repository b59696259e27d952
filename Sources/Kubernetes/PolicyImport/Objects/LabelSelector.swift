import Settings

/// Whether a selector matches the workload.
enum Selection: Equatable {
    case matches, doesNotMatch
    /// It depends on a label that is not known.
    case unknown(key: String)

    static func && (one: Selection, other: Selection) -> Selection {
        switch (one, other) {
        case (.doesNotMatch, _), (_, .doesNotMatch): .doesNotMatch
        case (.unknown, _): one
        default: other
        }
    }
}

/// A selector of pods by their labels, evaluated with what is known of them.
struct LabelSelector {
    let labels: KnownLabels
    let file: String

    /// Evaluates `matchLabels` and, if it may have them, `matchExpressions`; all must hold. An empty selector matches.
    ///
    /// As Kubernetes's LabelSelector has it: `NotIn` and `DoesNotExist` also match a pod without the label.
    func selection(_ node: SourceNode, _ what: String, hasExpressions: Bool) throws(SettingsFlaw) -> Selection {
        let keys = hasExpressions ? ["matchLabels", "matchExpressions"] : ["matchLabels"]
        let fields = try ObjectFields(node, what, keys: keys, file: file)
        var result = Selection.matches
        if let wanted = fields["matchLabels"] {
            guard let entries = wanted.resolved.entries else {
                throw SettingsFlaw(.error, at: wanted.position(in: file), "`matchLabels` must be a mapping")
            }
            var seen: Set<String> = []
            for entry in entries {
                let key = try entry.key.labelText("a label's key", in: file)
                guard key != "<<" else {
                    throw SettingsFlaw(.error, at: entry.key.position(in: file), "a merge key: write the labels out")
                }
                guard seen.insert(key).inserted else {
                    throw SettingsFlaw(.error, at: entry.key.position(in: file), "a second label \(quoted(key))")
                }
                let value = try entry.value.labelValue(in: file)
                result = result && selection(key) { $0 == value }
            }
        }
        for item in try fields["matchExpressions"]?.items("`matchExpressions`", in: file, emptyIsNone: true) ?? [] {
            result = result && (try expression(item))
        }
        return result
    }

    private func expression(_ node: SourceNode) throws(SettingsFlaw) -> Selection {
        let what = "a match expression"
        let fields = try ObjectFields(node, what, keys: ["key", "operator", "values"], file: file)
        let key = try fields.required("key", of: what).labelText("`key`", in: file)
        let operation = try fields.required("operator", of: what).text("`operator`", in: file)
        var values: Set<String> = []
        if let list = fields["values"] {
            for item in try list.items("`values`", in: file, emptyIsNone: true) {
                values.insert(try item.labelValue(in: file))
            }
        }
        switch (operation, values.isEmpty) {
        case ("In", false): return selection(key) { $0.map(values.contains) ?? false }
        case ("NotIn", false): return selection(key) { !($0.map(values.contains) ?? false) }
        case ("Exists", true): return selection(key) { $0 != nil }
        case ("DoesNotExist", true): return selection(key) { $0 == nil }
        default:
            throw SettingsFlaw(
                .error, at: fields.position,
                "a match expression is `In` or `NotIn` with values, or `Exists` or `DoesNotExist` without")
        }
    }

    private func selection(_ key: String, _ holds: (String?) -> Bool) -> Selection {
        switch labels.knowledge(of: key) {
        case .unknown: .unknown(key: key)
        case .absent: holds(nil) ? .matches : .doesNotMatch
        case .value(let value): holds(value) ? .matches : .doesNotMatch
        }
    }
}

extension SourceNode {
    /// The value of a label, which may be empty text.
    fileprivate func labelValue(in file: String) throws(SettingsFlaw) -> String {
        guard resolved.text != "" || resolved.isPlain || !resolved.hasTextTag else { return "" }
        return try labelText("a label's value", in: file)
    }

    /// A text that a cluster takes for the same one: `010` is the label `8` there, and `on` the label `true`.
    fileprivate func labelText(_ what: String, in file: String) throws(SettingsFlaw) -> String {
        let text = try text(what, in: file)
        guard !resolved.isPlain || resolved.tag != nil || !YAMLWord.mayBeOtherThanText(text) else {
            throw SettingsFlaw(
                .error, at: position(in: file),
                "\(what) \(quoted(text)) may be another one, because YAML does not take it for text: write it in quotes"
            )
        }
        return text
    }
}

extension PolicyObject {
    /// Whether a selector matches; what is not known is refused, because leaving a policy out may allow more.
    func isSelected(_ selection: Selection, by node: SourceNode) throws(SettingsFlaw) -> Bool {
        switch selection {
        case .matches: return true
        case .doesNotMatch: return false
        case .unknown(let key):
            throw flaw(
                "whether this selects the workload depends on its label \(quoted(key)): say it with "
                    + "`--labels \(Self.shown(key))=VALUE`, or `--labels '!\(Self.shown(key))'` if it has none",
                at: node)
        }
    }

    private static func shown(_ key: String) -> String { String(quoted(key).dropFirst().dropLast()) }
}
