/// A template in the part of Helm's language that the chart keeps to.
///
/// Actions are `if`, `else`, `with`, `range`, `end` and pipelines of ``TemplateFunction``s; `{{-` trims what precedes
/// it. Everything else of the language is refused, so that Helm and this agree about each template that both take.
struct Template {
    indirect enum Node {
        case text(Substring)
        case output(TemplateExpression, line: Int)
        /// The first that holds, or the rest.
        case condition(TemplateExpression, then: [Node], otherwise: [Node], line: Int)
        /// With the value as `.`, unless it is empty.
        case with(TemplateExpression, [Node], line: Int)
        /// For each item of a list as `.`.
        case range(TemplateExpression, [Node], line: Int)
    }

    let name: String
    let nodes: [Node]

    init(_ text: String, name: String) throws(TemplateFlaw) {
        var parser = TemplateParser(text, name: name)
        nodes = try parser.parse()
        self.name = name
    }
}

/// What is wrong with a template, or with the values that it is given.
struct TemplateFlaw: Error, Hashable, CustomStringConvertible {
    let name: String
    let line: Int
    let message: String

    var description: String { "\(name):\(line): \(message)" }
}

private struct TemplateParser {
    private enum Piece {
        case text(Substring)
        case action(Substring, line: Int)
    }

    private let name: String
    private var pieces: ArraySlice<Piece> = []
    private var flaw: TemplateFlaw?

    init(_ text: String, name: String) {
        self.name = name
        var (rest, line) = (text[...], 1)
        var pieces: [Piece] = []
        while let opening = rest.firstRange(of: "{{") {
            var before = rest[..<opening.lowerBound]
            line += before.count { $0 == "\n" }
            rest = rest[opening.upperBound...]
            guard let closing = rest.firstRange(of: "}}") else {
                flaw = TemplateFlaw(name: name, line: line, message: "an action without an end")
                return
            }
            var action = rest[..<closing.lowerBound]
            rest = rest[closing.upperBound...]
            if action.hasPrefix("- ") {
                action = action.dropFirst()
                while before.last?.isWhitespace == true { before.removeLast() }
            }
            pieces.append(.text(before))
            pieces.append(.action(action, line: line))
            line += action.count { $0 == "\n" }
        }
        self.pieces = (pieces + [.text(rest)])[...]
    }

    mutating func parse() throws(TemplateFlaw) -> [Template.Node] {
        if let flaw { throw flaw }
        let (nodes, end) = try block()
        guard end == nil else { throw refusal("`\(end?.word ?? "")` without a beginning", end?.line ?? 0) }
        return nodes
    }

    /// Reads until `else`, `end` or the end of the text.
    private mutating func block() throws(TemplateFlaw) -> ([Template.Node], end: (word: Substring, line: Int)?) {
        var nodes: [Template.Node] = []
        while let piece = pieces.popFirst() {
            switch piece {
            case .text(let text): nodes.append(.text(text))
            case .action(let action, let line):
                let words = action.split(maxSplits: 1, whereSeparator: \.isWhitespace)
                guard let word = words.first else { throw refusal("an empty action", line) }
                let rest = words.count > 1 ? words[1] : ""
                switch word {
                case "end", "else":
                    guard rest.isEmpty else { throw refusal("`\(word)` with more", line) }
                    return (nodes, (word, line))
                case "if":
                    let condition = try expression(rest, line)
                    let (then, end) = try block()
                    var otherwise: [Template.Node] = []
                    if end?.word == "else" { otherwise = try body(line) } else { try requireEnd(end?.word, line) }
                    nodes.append(.condition(condition, then: then, otherwise: otherwise, line: line))
                case "with": nodes.append(.with(try expression(rest, line), try body(line), line: line))
                case "range": nodes.append(.range(try expression(rest, line), try body(line), line: line))
                default: nodes.append(.output(try expression(action, line), line: line))
                }
            }
        }
        return (nodes, nil)
    }

    private mutating func body(_ line: Int) throws(TemplateFlaw) -> [Template.Node] {
        let (nodes, end) = try block()
        try requireEnd(end?.word, line)
        return nodes
    }

    private func requireEnd(_ word: Substring?, _ line: Int) throws(TemplateFlaw) {
        guard word != "end" else { return }
        throw refusal("an action without its `end`", line)
    }

    private func expression(_ text: Substring, _ line: Int) throws(TemplateFlaw) -> TemplateExpression {
        var parser = TemplateExpressionParser(text)
        guard let expression = parser.parse() else { throw refusal("not understood: \(text)", line) }
        return expression
    }

    private func refusal(_ message: String, _ line: Int) -> TemplateFlaw {
        TemplateFlaw(name: name, line: line, message: message)
    }
}
