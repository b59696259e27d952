import Telemetry

/// A JSON value (RFC 8259) with fractional numbers; members keep their order.
indirect enum JSONValue {
    case text(String)
    case number(Double)
    case list([JSONValue])
    case object([(String, JSONValue)])
    case null

    /// On one line.
    var line: String {
        switch self {
        case .text(let text):
            var writer = JSONWriter()
            writer.element(text)
            return writer.text
        case .number(let number): return Self.text(number)
        case .list(let values): return "[" + values.map(\.line).joined(separator: ", ") + "]"
        case .object(let members): return "{" + members.map(Self.member).joined(separator: ", ") + "}"
        case .null: return "null"
        }
    }

    static func member(_ key: String, _ value: JSONValue) -> String { "\(JSONValue.text(key).line): \(value.line)" }

    /// Whole numbers without a fraction; values that JSON cannot express become null.
    private static func text(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        if let whole = Int(exactly: number) { return "\(whole)" }
        return "\((number * 10_000).rounded() / 10_000)"
    }
}
