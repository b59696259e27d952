/// A range of the text and what replaces it.
struct TextEdit {
    let range: Range<Int>
    let text: String

    static func insert(_ text: String, at offset: Int) -> TextEdit { TextEdit(range: offset..<offset, text: text) }

    static func delete(_ range: Range<Int>) -> TextEdit { TextEdit(range: range, text: "") }
}

extension [TextEdit] {
    /// The text with all edits applied; those at one place in the order of the array.
    func applied(to bytes: [UInt8]) -> [UInt8] {
        let ordered = enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + reduce(0) { $0 + $1.text.utf8.count })
        var done = 0
        for (_, edit) in ordered {
            if edit.range.lowerBound > done { result += bytes[done..<edit.range.lowerBound] }
            result += edit.text.utf8
            done = Swift.max(done, edit.range.upperBound)
        }
        return result + bytes[done...]
    }
}
