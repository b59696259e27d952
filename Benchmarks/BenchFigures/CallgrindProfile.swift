/// Instructions by object file, from what `callgrind` writes (its format, version 1).
///
/// An object's own count is what its functions executed themselves. What it called in other objects is kept apart, so
/// that a `memcpy` can be charged to whoever asked for it.
public struct CallgrindProfile: Sendable, Equatable {
    /// Instructions that functions of an object executed themselves, by the object's path.
    public private(set) var own: [String: Int] = [:]
    /// Instructions spent below calls from one object into another.
    public private(set) var called: [Edge: Int] = [:]

    public struct Edge: Hashable, Sendable {
        public let from: String
        public let to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    /// Reads a profile; lines that are neither costs nor names are passed over.
    public init(parsing text: String) {
        var names: [String: String] = [:]
        var object = ""
        var callee: String?
        var isCall = false
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let first = line.first else { continue }
            if Self.startsCost(first) {
                let cost = Self.cost(of: line)
                if isCall {
                    called[Edge(from: object, to: callee ?? object), default: 0] += cost
                    // The called object holds for one call; the next says it again.
                    callee = nil
                    isCall = false
                } else {
                    own[object, default: 0] += cost
                }
            } else if line.starts(with: "ob=".utf8) {
                object = Self.name(line.dropFirst(3), &names)
            } else if line.starts(with: "cob=".utf8) {
                callee = Self.name(line.dropFirst(4), &names)
            } else if line.starts(with: "calls=".utf8) {
                isCall = true
            }
        }
    }

    /// What the libraries that `object` calls itself executed for it, but for those whose path holds a name of `except`.
    public func below(_ object: String, except: [String]) -> Int {
        called.reduce(0) { sum, entry in
            let edge = entry.key
            let counts = edge.from == object && edge.to != object && !except.contains { edge.to.contains($0) }
            return counts ? sum + entry.value : sum
        }
    }

    private static func startsCost(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "*")
    }

    /// The first event after the one position.
    private static func cost(of line: Substring.UTF8View.SubSequence) -> Int {
        let fields = line.split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int(Substring(fields[1])) ?? 0 : 0
    }

    /// `(3) /path` names number 3, and `(3)` alone stands for it from then on.
    private static func name(_ text: Substring.UTF8View.SubSequence, _ names: inout [String: String]) -> String {
        let words = Substring(text).split(separator: " ", maxSplits: 1)
        guard let key = words.first.map(String.init), key.hasPrefix("(") else { return String(Substring(text)) }
        if words.count > 1 { names[key] = String(words[1]) }
        return names[key] ?? key
    }
}
