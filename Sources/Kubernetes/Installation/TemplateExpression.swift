/// What is computed in an action of a template.
indirect enum TemplateExpression: Hashable {
    /// From `.`; without names `.` itself.
    case path([String])
    case text(String)
    case number(String)
    case call(TemplateFunction, [TemplateExpression])
}

/// The functions of Helm that the chart uses.
enum TemplateFunction: String {
    case eq, ne, quote, required, toYaml, nindent

    var argumentCount: Int {
        switch self {
        case .eq, .ne, .required, .nindent: 2
        case .quote, .toYaml: 1
        }
    }
}

/// Reads a pipeline: commands with `|` between them, of which each is the last argument of the next.
struct TemplateExpressionParser {
    private var tokens: ArraySlice<Token> = []
    private var isLegible = true

    private enum Token: Hashable {
        case pipe
        case path([String])
        case text(String)
        case number(String)
        case word(String)
    }

    init(_ source: Substring) {
        var rest = source
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
                continue
            }
            let length = first == "\"" ? Self.stringLength(rest) : rest.prefix { !$0.isWhitespace && $0 != "|" }.count
            let token = rest.prefix(max(length, 1))
            rest = rest.dropFirst(token.count)
            guard let read = Self.token(token) else {
                isLegible = false
                return
            }
            tokens.append(read)
        }
    }

    /// Nil if it is no pipeline, or uses what is not known.
    mutating func parse() -> TemplateExpression? {
        guard isLegible, !tokens.isEmpty else { return nil }
        var result: TemplateExpression?
        for command in tokens.split(separator: .pipe, omittingEmptySubsequences: false) {
            guard let expression = Self.command(command, last: result) else { return nil }
            result = expression
        }
        return result
    }

    private static func command(_ tokens: ArraySlice<Token>, last: TemplateExpression?) -> TemplateExpression? {
        guard let first = tokens.first else { return nil }
        guard case .word(let name) = first else {
            return tokens.count == 1 && last == nil ? operand(first) : nil
        }
        guard let function = TemplateFunction(rawValue: name) else { return nil }
        var arguments = tokens.dropFirst().compactMap(operand)
        guard arguments.count == tokens.count - 1 else { return nil }
        if let last { arguments.append(last) }
        return arguments.count == function.argumentCount ? .call(function, arguments) : nil
    }

    private static func operand(_ token: Token) -> TemplateExpression? {
        switch token {
        case .path(let names): .path(names)
        case .text(let text): .text(text)
        case .number(let text): .number(text)
        case .pipe, .word: nil
        }
    }

    private static func token(_ text: Substring) -> Token? {
        if text == "|" { return .pipe }
        if text.hasPrefix("\"") {
            // Without escapes there is one way to read it.
            guard text.count > 1, text.hasSuffix("\""), !text.contains("\\") else { return nil }
            return .text(String(text.dropFirst().dropLast()))
        }
        if text == "." { return .path([]) }
        if text.hasPrefix(".") {
            let names = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
            return names.allSatisfy(isName) ? .path(names.map(String.init)) : nil
        }
        if text.utf8.allSatisfy(\.isDigit) { return .number(String(text)) }
        return isName(text) ? .word(String(text)) : nil
    }

    private static func isName(_ text: Substring) -> Bool {
        text.utf8.first?.isLetter == true && text.utf8.allSatisfy { $0.isLetter || $0.isDigit }
    }

    /// Of a text in quotes, which are counted.
    private static func stringLength(_ text: Substring) -> Int {
        text.dropFirst().firstIndex(of: "\"").map { text.distance(from: text.startIndex, to: $0) + 1 } ?? text.count
    }
}
