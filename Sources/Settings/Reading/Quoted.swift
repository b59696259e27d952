/// Text of the file inside a message: in backquotes, shortened, and nothing in it that a terminal would obey.
func quoted(_ text: String) -> String {
    var shown = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        guard count < scalarsShownAtMost else { return "`\(shown)`..." }
        if scalar.isControl {
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
            shown.unicodeScalars.append(scalar)
        }
    }
    return "`\(shown)`"
}

extension Unicode.Scalar {
    /// Of the C0 and C1 sets, a line or paragraph separator, or a sign that reorders the text around it.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

private let scalarsShownAtMost = 80
