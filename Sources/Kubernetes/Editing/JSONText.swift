extension Value {
    /// A JSON string; also one of YAML. No character that a terminal or a parser could take for another stands in it as
    /// it is.
    static func quote(_ text: String) -> String {
        // Nearly all texts have nothing to escape, and appending scalars was half of a review's time.
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }
        if isPlain { return "\"" + text + "\"" }
        var quoted = "\""
        quoted.reserveCapacity(text.utf8.count + text.utf8.count / 8 + 2)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                if Self.isEscaped(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }

    /// Controls, line and paragraph separators, bidirectional controls, byte order marks; all have four digits.
    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE...0xFFFF: true
        default: false
        }
    }

    /// The value as JSON for an environment variable, in which Kubernetes would expand `$(NAME)`.
    var environmentText: String { flow.replacing("$", with: "\\u0024") }
}
