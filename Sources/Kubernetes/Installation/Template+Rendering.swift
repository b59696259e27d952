extension Template {
    /// The text for a mapping, which is `.` outside of `with` and `range`. Throws where Helm would print no value.
    func rendered(with root: Value) throws(TemplateFlaw) -> String {
        var output = ""
        try render(nodes, root, into: &output)
        return output
    }

    private func render(_ nodes: [Node], _ dot: Value, into output: inout String) throws(TemplateFlaw) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .output(let expression, let line):
                let value = try evaluate(expression, dot, line)
                guard let text = value.scalar else { throw flaw("a list or a mapping where a text is needed", line) }
                output += text
            case .condition(let expression, let then, let otherwise, let line):
                try render(try evaluate(expression, dot, line).isTrue ? then : otherwise, dot, into: &output)
            case .with(let expression, let body, let line):
                let value = try evaluate(expression, dot, line)
                if value.isTrue { try render(body, value, into: &output) }
            case .range(let expression, let body, let line):
                guard case .list(let items) = try evaluate(expression, dot, line) else {
                    throw flaw("not a list", line)
                }
                for item in items { try render(body, item, into: &output) }
            }
        }
    }

    private func evaluate(_ expression: TemplateExpression, _ dot: Value, _ line: Int) throws(TemplateFlaw) -> Value {
        switch expression {
        case .text(let text): return .text(text)
        case .number(let text): return .plain(text)
        case .path(let names):
            guard let value = dot.value(at: names) else {
                throw flaw("no value .\(names.joined(separator: "."))", line)
            }
            return value
        case .call(let function, let arguments):
            var values: [Value] = []
            for argument in arguments { values.append(try evaluate(argument, dot, line)) }
            return try call(function, values, line)
        }
    }

    /// There are as many values as the function takes.
    private func call(_ function: TemplateFunction, _ values: [Value], _ line: Int) throws(TemplateFlaw) -> Value {
        let last = values[values.count - 1]
        switch function {
        case .eq, .ne:
            guard let first = values[0].scalar, let second = last.scalar else { throw flaw("not to be compared", line) }
            return .plain((first == second) == (function == .eq) ? "true" : "false")
        case .quote:
            guard let text = last.scalar else { throw flaw("a list or a mapping in quotes", line) }
            return .text(Value.text(text).flow)
        case .required:
            guard last.isTrue else { throw flaw(values[0].scalar ?? "", line) }
            return last
        case .toYaml:
            return .text(last.lines.joined(separator: "\n"))
        case .nindent:
            guard let count = values[0].scalar.flatMap({ Int($0) }), let text = last.scalar else {
                throw flaw("not to be indented", line)
            }
            let margin = String(repeating: " ", count: count)
            return .text("\n" + margin + text.replacing("\n", with: "\n" + margin))
        }
    }

    private func flaw(_ message: String, _ line: Int) -> TemplateFlaw {
        TemplateFlaw(name: name, line: line, message: message)
    }
}

extension Value {
    /// The text of a scalar, without quotes.
    fileprivate var scalar: String? {
        switch self {
        case .text(let text), .plain(let text): text
        case .list, .mapping: nil
        }
    }

    /// What `if` and `with` take for true: what is neither empty nor zero.
    fileprivate var isTrue: Bool {
        switch self {
        case .text(let text): !text.isEmpty
        case .plain(let text): !["false", "0", "null"].contains(text)
        case .list(let items): !items.isEmpty
        case .mapping(let fields): !fields.isEmpty
        }
    }

    /// In YAML, as a document of its own.
    fileprivate var lines: [String] {
        switch self {
        case .mapping(let fields) where !fields.isEmpty: fields.flatMap(\.block)
        case .list(let items) where !items.isEmpty: items.flatMap(\.item)
        default: [flow]
        }
    }

    func value(at path: some Collection<String>) -> Value? {
        guard let name = path.first else { return self }
        guard case .mapping(let fields) = self else { return nil }
        return fields.first { $0.key == name }?.value.value(at: path.dropFirst())
    }
}
