/// Instructions executed, by the object file (binary or library) that they are in: one part of a callgrind profile.
///
/// Only self cost counts, so that nothing counts twice; see "Callgrind Format Specification" in Valgrind's manual.
public struct CallgrindProfile: Hashable, Sendable {
    /// Paths of objects as callgrind names them; "???" is code of no known file.
    public private(set) var instructions: [String: Int] = [:]

    /// Reads one profile.
    ///
    /// - Parameters:
    ///   - ignoring: functions that are left out, such as those of a counter that does not ship,
    ///   - fileName: where they stand in the object of this name.
    public init(
        parsing text: String, ignoring: Set<String> = [], of fileName: String = ""
    ) throws(CallgrindFlaw) {
        var names = Names()
        var object = "???"
        var ignored = false
        var isCall = false
        var reported: Int?
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = Substring(line)
            guard let first = line.utf8.first else { continue }
            if Self.beginsCost(first) {
                // The line after "calls=" has the callee's cost, which stands at the callee too.
                if isCall {
                    isCall = false
                    continue
                }
                let cost = line.utf8.split(separator: UInt8(ascii: " ")).dropFirst().first
                guard let cost, let count = Int(Substring(cost)) else { throw .unreadable(String(line)) }
                if !ignored { instructions[object, default: 0] += count }
                continue
            }
            guard let (key, value) = Self.split(line) else { continue }
            switch key {
            case "ob": object = try names.resolve(value, of: .object)
            case "cob": _ = try names.resolve(value, of: .object)
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

    /// Of all objects but the one whose path ends with this file name.
    public func total(outside fileName: String) -> Int {
        instructions.filter { !Self.isFile($0.key, fileName) }.values.reduce(0, +)
    }

    /// Of the object whose path ends with this file name.
    public func total(of fileName: String) -> Int {
        instructions.filter { Self.isFile($0.key, fileName) }.values.reduce(0, +)
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

/// Why a file is no profile that can be counted.
public enum CallgrindFlaw: Error, Hashable, CustomStringConvertible {
    case unreadable(String)
    /// A number that stands for a name, before the name was given.
    case unknownName(String)
    /// Cut short: no line of totals.
    case incomplete

    public var description: String {
        switch self {
        case .unreadable(let line): "callgrind's profile has a line that is not understood: \(line)"
        case .unknownName(let name): "callgrind's profile names \(name) before saying what it is"
        case .incomplete: "callgrind's profile is cut short: it has no totals"
        }
    }
}

/// Name compression: "(7) text" gives a name its number, "(7)" is that name again.
private struct Names {
    enum Kind { case object, function }

    private var objects: [Substring: String] = [:]
    private var functions: [Substring: String] = [:]

    mutating func resolve(_ value: Substring, of kind: Kind) throws(CallgrindFlaw) -> String {
        guard value.utf8.first == UInt8(ascii: "("), let end = value.utf8.firstIndex(of: UInt8(ascii: ")")) else {
            return String(value)
        }
        let number = value[...end]
        let rest = value.utf8[value.utf8.index(after: end)...].drop { $0 == UInt8(ascii: " ") }
        if rest.isEmpty {
            guard let name = kind == .object ? objects[number] : functions[number] else {
                throw .unknownName(String(number))
            }
            return name
        }
        let name = String(Substring(rest))
        switch kind {
        case .object: objects[number] = name
        case .function: functions[number] = name
        }
        return name
    }
}
