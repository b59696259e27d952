/// The grammar of JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-2)), also of several values with
/// YAML's `---` between them.
struct JSONGrammar {
    private enum Expected {
        case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing
    }

    private let text: [UInt8]
    private var index = 0
    private var expected = Expected.value
    /// The brackets and braces that are open.
    private var open: [UInt8] = []
    private var strings: [Range<Int>] = []

    /// Where the strings of the first values are, without their quotes; it ends where a document begins that is no
    /// JSON, or is nested deeper than a manifest may be.
    static func strings(of text: [UInt8]) -> [Range<Int>] {
        var grammar = JSONGrammar(text)
        var strings: [Range<Int>] = []
        while grammar.takeDocument() {
            strings += grammar.strings
            (grammar.strings, grammar.expected) = ([], .value)
        }
        return strings
    }

    private init(_ text: [UInt8]) { self.text = text }

    /// Takes a value and the `---` behind it; false where there is none.
    private mutating func takeDocument() -> Bool {
        while expected != .nothing {
            guard index < text.count, skipBlank() || advance() else { return false }
        }
        while skipBlank() {}
        guard index < text.count else { return true }
        guard text[index...].starts(with: "---".utf8), text[index - 1] == .newline else { return false }
        index += 3
        return index == text.count || skipBlank()
    }

    private mutating func skipBlank() -> Bool {
        let blanks: [UInt8] = [.space, .newline, .carriageReturn, UInt8(ascii: "\t")]
        guard index < text.count, blanks.contains(text[index]) else { return false }
        index += 1
        return true
    }

    /// Takes one token; false if none may stand here.
    private mutating func advance() -> Bool {
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return begin(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): return end(byte)
        case UInt8(ascii: ":"): return take(from: [.colon], to: .value)
        case UInt8(ascii: ","):
            return take(from: [.commaOrEnd], to: open.last == UInt8(ascii: "{") ? .key : .value)
        case UInt8(ascii: "\""): return string()
        default: return word()
        }
    }

    private mutating func take(from states: [Expected], to next: Expected) -> Bool {
        guard states.contains(expected) else { return false }
        expected = next
        index += 1
        return true
    }

    private mutating func begin(_ bracket: UInt8) -> Bool {
        guard open.count < Manifest.depthAtMost else { return false }
        open.append(bracket)
        return take(from: [.value, .valueOrEnd], to: bracket == UInt8(ascii: "{") ? .keyOrEnd : .valueOrEnd)
    }

    private mutating func end(_ bracket: UInt8) -> Bool {
        let isObject = bracket == UInt8(ascii: "}")
        guard open.popLast() == UInt8(ascii: isObject ? "{" : "[") else { return false }
        return take(from: [.commaOrEnd, isObject ? .keyOrEnd : .valueOrEnd], to: afterValue)
    }

    private var afterValue: Expected { open.isEmpty ? .nothing : .commaOrEnd }

    private mutating func string() -> Bool {
        let start = index + 1
        var end = start
        while end < text.count, text[end] != UInt8(ascii: "\"") {
            // What an escape stands for YAML's reader decides, which knows all of JSON's and refuses others.
            guard text[end] >= .space else { return false }
            end += text[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < text.count else { return false }
        strings.append(start..<end)
        index = end
        return [.key, .keyOrEnd].contains(expected)
            ? take(from: [expected], to: .colon) : take(from: [.value, .valueOrEnd], to: afterValue)
    }

    /// A literal or a number.
    private mutating func word() -> Bool {
        let word = text[index...].prefix { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
        guard Self.literals.contains(where: word.elementsEqual) || Self.isNumber(word) else { return false }
        index = word.endIndex - 1
        return take(from: [.value, .valueOrEnd], to: afterValue)
    }

    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        let digits = word.first == UInt8(ascii: "-") ? word.dropFirst() : word
        guard digits.first?.isDigit == true else { return false }
        return digits.allSatisfy { $0.isDigit || "+-.eE".utf8.contains($0) }
    }

    private static let literals = ["true", "false", "null"].map { Array($0.utf8) }
}
