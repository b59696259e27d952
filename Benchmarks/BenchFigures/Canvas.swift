/// The SVG (1.1) shapes of a bar chart, on white.
struct Canvas {
    enum Style: String {
        case title, heading, label, rowTitle, value, small, faint
    }

    private var shapes: [String] = []

    mutating func bar(x: Double, y: Double, width: Double, height: Double, color: String) {
        shapes.append(
            """
            <rect x="\(number(x))" y="\(number(y))" width="\(number(max(1, width)))" height="\(number(height))" \
            rx="2" fill="\(color)"/>
            """)
    }

    mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, color: String, dashes: String) {
        shapes.append(
            """
            <line x1="\(number(x1))" y1="\(number(y1))" x2="\(number(x2))" y2="\(number(y2))" stroke="\(color)" \
            stroke-width="1"\(dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"")/>
            """)
    }

    mutating func text(_ text: String, x: Double, y: Double, _ style: Style) {
        shapes.append(
            "<text x=\"\(number(x))\" y=\"\(number(y))\" class=\"\(style.rawValue)\">\(Self.escaped(text))</text>")
    }

    func document(width: Double, height: Double) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" height="\(number(height))" \
        viewBox="0 0 \(number(width)) \(number(height))">
        <style>
        text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1f2937 }
        .title { font-size: 19px; font-weight: 600 } .heading { font-size: 14px; font-weight: 600 }
        .rowTitle { text-anchor: end } .value { font-size: 11px } .small { font-size: 11.5px; fill: #4b5563 }
        .faint { font-size: 11px; fill: #9ca3af }
        </style>
        <rect width="100%" height="100%" fill="#ffffff"/>
        \(shapes.joined(separator: "\n"))
        </svg>

        """
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
    }

    /// One decimal is finer than a pixel.
    private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
