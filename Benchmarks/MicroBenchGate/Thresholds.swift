/// The recorded counts as checked in: text with one line per case.
public struct Thresholds: Equatable, Sendable {
    public var origin: Origin
    /// In the order of the file.
    public var cases: [(name: String, counts: Counts)]

    public init(origin: Origin, cases: [(name: String, counts: Counts)]) {
        self.origin = origin
        self.cases = cases
    }

    public init(parsing text: String) throws(ThresholdFlaw) {
        var origin = Origin(architecture: "", openSSL: "", compiler: "")
        var cases: [(name: String, counts: Counts)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ")
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let rest = words.dropFirst().joined(separator: " ")
            switch first {
            case "architecture": origin.architecture = rest
            case "openssl": origin.openSSL = rest
            case "compiler": origin.compiler = rest
            case "case":
                guard words.count == 5, let all = Self.number(words[2]), let own = Self.number(words[3]),
                    let tenths = Self.tenths(words[4])
                else { throw ThresholdFlaw(line: index + 1, text: String(line)) }
                guard !cases.contains(where: { $0.name == words[1] }) else {
                    throw ThresholdFlaw(line: index + 1, text: String(line))
                }
                cases.append(
                    (String(words[1]), Counts(instructions: all, ownInstructions: own, allocationTenths: tenths)))
            default: throw ThresholdFlaw(line: index + 1, text: String(line))
            }
        }
        self.init(origin: origin, cases: cases)
    }

    public func counts(of name: String) -> Counts? { cases.first { $0.name == name }?.counts }

    public var text: String {
        let header = ["#", "name", "instructions", "own instructions", "allocations"]
        let rows = cases.map { name, counts in
            [
                "case", name, counts.instructions?.grouped ?? "-", counts.ownInstructions?.grouped ?? "-",
                counts.allocationTenths?.tenths ?? "-",
            ]
        }
        return """
            # What one operation takes: instructions outside glibc, those outside OpenSSL too, blocks asked of the heap.
            # "scripts/microbench --check" fails above 3 % more instructions, or more allocations;
            # "scripts/microbench --renew" writes this file.
            architecture \(origin.architecture)
            openssl \(origin.openSSL)
            compiler \(origin.compiler)

            \(columns([header] + rows))

            """
    }

    /// A count, or an inner nil for "-"; an outer nil for anything else.
    private static func number(_ word: Substring) -> Int?? {
        guard word != "-" else { return .some(nil) }
        guard let number = Int(word.filter { $0 != "," }), number >= 0 else { return nil }
        return number
    }

    private static func tenths(_ word: Substring) -> Int?? {
        guard word != "-" else { return .some(nil) }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 1, let digit = Int(parts[1]), let whole = number(parts[0]), let whole
        else { return nil }
        return whole * 10 + digit
    }

    public static func == (left: Thresholds, right: Thresholds) -> Bool {
        left.origin == right.origin && left.cases.elementsEqual(right.cases) { $0 == $1 }
    }
}

/// A malformed line of the thresholds, or a duplicate case.
public struct ThresholdFlaw: Error, Hashable, CustomStringConvertible {
    public let line: Int
    public let text: String

    public init(line: Int, text: String) {
        self.line = line
        self.text = text
    }

    public var description: String { "thresholds, line \(line): malformed: \(text)" }
}

/// Rows as text with aligned columns: the first two to the left, numbers to the right.
public func columns(_ rows: [[String]]) -> String {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        row.enumerated().map { column, cell in
            let room = String(repeating: " ", count: widths[column] - cell.count)
            return column < 2 ? cell + room : room + cell
        }.joined(separator: "  ")
    }.joined(separator: "\n")
}
