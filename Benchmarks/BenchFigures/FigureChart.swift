/// Draws figures as an SVG: one bar per proxy and row, its length the ratio to HAProxy.
public struct FigureChart: Sendable {
    let figures: Figures
    let conditions: Conditions

    public init(_ figures: Figures, _ conditions: Conditions) {
        self.figures = figures
        self.conditions = conditions
    }

    public var svg: String {
        var canvas = Canvas()
        canvas.text("Postern and its peers: how many times better than HAProxy", x: Self.margin, y: 34, .title)
        canvas.text(
            "Longer is better in every row. Dashed: HAProxy itself. Brown: Postern's minimum goal and its aim.",
            x: Self.margin, y: 54, .small)
        var y = 64.0
        drawLegend(&canvas, y: &y)
        let top = y
        for topology in Measure.Topology.allCases {
            let rows = comparable.filter { $0.topology == topology }
            guard !rows.isEmpty else { continue }
            y += 14
            canvas.text(Self.headings[topology] ?? topology.rawValue, x: Self.margin, y: y + 12, .heading)
            y += 26
            for row in rows { draw(row, &canvas, y: &y) }
        }
        canvas.line(x1: x(1), y1: top, x2: x(1), y2: y, color: "#6b7280", dashes: "4 3")
        y += 20
        for line in Self.wrapped(caption, width: 150) {
            canvas.text(line, x: Self.margin, y: y, .small)
            y += 15
        }
        return canvas.document(width: Self.width, height: y + 8)
    }

    /// Rows with a HAProxy value, the base of the comparison.
    private var comparable: [Measure] {
        figures.measures.filter { (figures.judged($0, by: Figures.base) ?? 0) > 0 }
    }

    private var others: [String] { figures.proxies.filter { $0 != Figures.base } }

    private var caption: String {
        "Units: see each row; latencies are compared at the named percentile. " + conditions.summary
    }

    private func drawLegend(_ canvas: inout Canvas, y: inout Double) {
        var left = Self.margin
        for proxy in others {
            canvas.bar(x: left, y: y + 3, width: 12, height: 12, color: Self.color(proxy))
            canvas.text(proxy, x: left + 18, y: y + 13, .label)
            left += 40 + 7.2 * Double(proxy.count)
        }
        y += 22
    }

    private func draw(_ measure: Measure, _ canvas: inout Canvas, y: inout Double) {
        let height = Self.barHeight * Double(others.count)
        canvas.text(title(measure), x: Self.origin - 10, y: y + height / 2 + 4, .rowTitle)
        let start = y
        for proxy in others {
            if let advantage = figures.advantage(measure, proxy, over: Figures.base),
                let value = figures.judged(measure, by: proxy)
            {
                let end = x(min(advantage, Self.longest))
                canvas.bar(
                    x: Self.origin, y: y + 1, width: end - Self.origin, height: Self.barHeight - 2,
                    color: Self.color(proxy))
                let text = "\(decimalText(advantage, places: 2))x   \(decimalText(value, places: measure.places))"
                canvas.text(text, x: Self.valuesLeft, y: y + Self.barHeight - 3.5, .value)
            } else {
                canvas.text("not measured", x: Self.valuesLeft, y: y + Self.barHeight - 3.5, .faint)
            }
            y += Self.barHeight
        }
        if case .ratio(let bound, let aim) = measure.goal {
            for limit in [bound, aim].compactMap(\.self) {
                let place = x(min(Self.longest, measure.better == .higher ? limit : 1 / limit))
                canvas.line(x1: place, y1: start - 2, x2: place, y2: start + height + 2, color: "#b45309", dashes: "")
            }
        }
        y += 10
    }

    private func title(_ measure: Measure) -> String {
        let base = decimalText(figures.judged(measure, by: Figures.base) ?? 0, places: measure.places)
        let part = measure.parts.isEmpty ? "" : " \(measure.parts[measure.judged])"
        return "\(measure.title)\(part), \(measure.unit) (HAProxy \(base))"
    }

    private func x(_ advantage: Double) -> Double { Self.origin + advantage * Self.unitWidth }

    private static func color(_ proxy: String) -> String {
        switch proxy {
        case "nginx": "#9ca3af"
        case Figures.epoll: "#7dd3fc"
        default: "#0369a1"
        }
    }

    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > width {
                lines.append("")
            }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }

    private static let headings: [Measure.Topology: String] = [
        .pair: "Pair: plaintext client, proxy, mutual TLS, proxy, plaintext backend",
        .inbound: "Inbound only: mutual TLS client, proxy, plaintext backend",
    ]
    private static let width = 1040.0
    private static let margin = 24.0
    private static let origin = 440.0
    private static let valuesLeft = 915.0
    private static let barHeight = 13.0
    /// Longer bars are cut; their label has the number.
    private static let longest = 4.0
    private static let unitWidth = 115.0
}
