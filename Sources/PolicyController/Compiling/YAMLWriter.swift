import Settings

/// Writes a tree in block style, one scalar on a line, and remembers where each value of it stands.
struct YAMLWriter {
    private struct Place: Hashable {
        let line: Int
        let column: Int
    }

    private(set) var text = ""
    /// Whether the text would be larger than it may be, and is cut.
    private(set) var isFull = false
    private let bytesAtMost: Int
    private var line = 1
    private var column = 1
    /// Where values begin, with their paths.
    private var places: [Place: String] = [:]
    /// The first value of a line.
    private var lines: [Int: String] = [:]

    init(bytesAtMost: Int = .max) { self.bytesAtMost = bytesAtMost }

    mutating func write(_ tree: YAMLTree) {
        guard let entries = tree.entries, !entries.isEmpty else { return put("{}\n") }
        write(entries, indent: 0, path: "")
    }

    /// A line that begins with `#`.
    mutating func comment(_ text: String) { put("# \(text.filter { !$0.isNewline })\n") }

    /// The path of the value at a position, or of the one whose line it is.
    func path(at position: Position) -> String {
        places[Place(line: position.line, column: position.column)] ?? lines[position.line] ?? ""
    }

    /// A message whose `line N` are replaced by paths.
    func withPaths(_ message: String) -> String {
        var result = ""
        for (index, part) in message.split(separator: "line ", omittingEmptySubsequences: false).enumerated() {
            let digits = part.prefix { $0.isASCII && $0.isNumber }
            if index > 0, let line = Int(digits), let path = lines[line] {
                result += path + part.dropFirst(digits.count)
            } else {
                result += (index > 0 ? "line " : "") + part
            }
        }
        return result
    }

    private mutating func write(_ entries: [YAMLTree.Entry], indent: Int, path: String) {
        for (index, entry) in entries.enumerated() where !isFull {
            // The first one of an item stands behind its dash.
            if column == 1 { put(String(repeating: " ", count: indent)) }
            let inner = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            mark(index == 0 && !path.isEmpty ? path : inner)
            put(Self.key(entry.key) + ":")
            write(entry.value, indent: indent, path: inner)
        }
    }

    /// The value behind a key or dash.
    private mutating func write(_ tree: YAMLTree, indent: Int, path: String) {
        switch tree {
        case .plain(let text):
            put(" ")
            mark(path)
            put(text + "\n")
        case .text(let text):
            put(" ")
            mark(path)
            put(Self.quote(text) + "\n")
        case .list(let items) where items.isEmpty:
            put(" ")
            mark(path)
            put("[]\n")
        case .mapping(let entries) where entries.isEmpty:
            put(" ")
            mark(path)
            put("{}\n")
        case .mapping(let entries):
            put("\n")
            write(entries, indent: indent + 2, path: path)
        case .list(let items):
            put("\n")
            for (index, item) in items.enumerated() where !isFull {
                put(String(repeating: " ", count: indent + 2))
                mark(index == 0 ? path : "\(path)[\(index)]")
                put("-")
                if case .mapping(let entries) = item, !entries.isEmpty {
                    put(" ")
                    write(entries, indent: indent + 4, path: "\(path)[\(index)]")
                } else {
                    write(item, indent: indent + 2, path: "\(path)[\(index)]")
                }
            }
        }
    }

    private mutating func mark(_ path: String) {
        let place = Place(line: line, column: column)
        if places[place] == nil { places[place] = path }
        // An item says more than its list.
        if lines[line] == nil || path.hasPrefix((lines[line] ?? "") + "[") { lines[line] = path }
    }

    private mutating func put(_ piece: String) {
        guard text.utf8.count + piece.utf8.count <= bytesAtMost else {
            isFull = true
            return
        }
        text += piece
        if piece.hasSuffix("\n") {
            line += 1
            column = 1
        } else {
            column += piece.unicodeScalars.count
        }
    }

    private static func key(_ text: String) -> String {
        let isWord =
            text.utf8.first.map { isLetter($0) } ?? false
            && text.utf8.allSatisfy {
                isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "-_.".utf8.contains($0)
            }
        return isWord ? text : quote(text)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// A double-quoted scalar in which no character stands for a line end or is invisible.
    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C:
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE...0xFFFF:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
