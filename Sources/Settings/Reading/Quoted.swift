/// Text of the file for a message: in backquotes, shortened, and without terminal control characters.
public func quoted(_ text: String) -> String {
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
    /// C0 and C1 controls, line and paragraph separators, and bidirectional controls.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

private let scalarsShownAtMost = 80
