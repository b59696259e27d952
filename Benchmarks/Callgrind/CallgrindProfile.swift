/// Instructions executed per object file (binary or library): one part of a callgrind profile.
///
/// An object's own count covers what its functions executed themselves, so that nothing counts twice. Calls into other
/// objects are counted separately, so that a `memcpy` can be charged to its caller. See "Callgrind Format
/// Specification" in Valgrind's manual.
public struct CallgrindProfile: Hashable, Sendable {
    /// Object paths as in callgrind's output; "???" is code of an unknown file.
    public private(set) var own: [String: Int] = [:]
    /// Inclusive instructions of calls from one object into another, or within one.
    public private(set) var called: [Edge: Int] = [:]

    public struct Edge: Hashable, Sendable {
        public let from: String
        public let to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    /// Reads one profile.
    ///
    /// - Parameters:
    /// - ignoring: functions to leave out, such as those of a counter that does not ship,
    /// - fileName: if they are in the object of this name.
    public init(
        parsing text: String, ignoring: Set<String> = [], of fileName: String = ""
    ) throws(CallgrindFlaw) {
        var names = CallgrindNames()
        var object = "???"
        var ignored = false
        var callee: String?
        var isCall = false
        var reported: Int?
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = Substring(line)
            guard let first = line.utf8.first else { continue }
            if Self.beginsCost(first) {
                let cost = line.utf8.split(separator: UInt8(ascii: " ")).dropFirst().first
                guard let cost, let count = Int(Substring(cost)) else { throw .unreadable(String(line)) }
                // The line after "calls=" has the callee's cost, which is also listed at the callee.
                if isCall {
                    called[Edge(from: object, to: callee ?? object), default: 0] += count
                    // The called object applies to one call only.
                    callee = nil
                    isCall = false
                } else if !ignored {
                    own[object, default: 0] += count
                }
                continue
            }
            guard let (key, value) = Self.split(line) else { continue }
            switch key {
            case "ob": object = try names.resolve(value, of: .object)
            case "cob": callee = try names.resolve(value, of: .object)
            case "fn":
                let name = try names.resolve(value, of: .function)
                ignored = ignoring.contains(name) && Self.isFile(object, fileName)
            case "cfn": _ = try names.resolve(value, of: .function)
            case "calls": isCall = true
            case "events":
                guard value == "Ir" else { throw .unreadable(String(line)) }
            case "totals", "summary": reported = Int(value) ?? reported
            default: break
            }
        }
        guard reported != nil else { throw .incomplete }
    }

    /// Instructions of all objects except the one whose path ends with this file name.
    public func total(outside fileName: String) -> Int {
        own.filter { !Self.isFile($0.key, fileName) }.values.reduce(0, +)
    }

    /// Instructions of the object whose path ends with this file name.
    public func total(of fileName: String) -> Int {
        own.filter { Self.isFile($0.key, fileName) }.values.reduce(0, +)
    }

    /// Instructions of the libraries that `object` calls directly, except those whose path contains a name of `except`.
    public func below(_ object: String, except: [String]) -> Int {
        called.reduce(0) { sum, entry in
            let edge = entry.key
            let counts = edge.from == object && edge.to != object && !except.contains { edge.to.contains($0) }
            return counts ? sum + entry.value : sum
        }
    }

    private static func isFile(_ object: String, _ fileName: String) -> Bool {
        object == fileName || object.hasSuffix("/" + fileName)
    }

    /// Positions are numbers, relative ones with a sign or a star.
    private static func beginsCost(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "*")
    }

    /// "fn=(1) main" and "summary: 12" as key and value.
    private static func split(_ line: Substring) -> (key: Substring, value: Substring)? {
        let bytes = line.utf8
        guard let end = bytes.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) else {
            return nil
        }
        let value = bytes[bytes.index(after: end)...].drop { $0 == UInt8(ascii: " ") }
        return (line[..<end], Substring(value))
    }
}
