/// Writes figures as a Markdown table, aligned for a terminal, with the conditions below.
public struct FigureTable: Sendable {
    let figures: Figures
    let conditions: Conditions

    public init(_ figures: Figures, _ conditions: Conditions) {
        self.figures = figures
        self.conditions = conditions
    }

    public var text: String {
        ([Self.aligned([header] + figures.measures.map(row)), conditions.summary] + conditions.notes)
            .joined(separator: "\n\n")
    }

    /// One line with the goals met and missed.
    public var verdict: String {
        let judged = figures.measures.compactMap { measure in figures.verdict(measure).map { (measure, $0) } }
        guard !judged.isEmpty else { return "No row with a goal was measured." }
        let missed = judged.filter { $0.1 == .notMet }.map { "\($0.0.topology.rawValue) \($0.0.title)" }
        let slow = figures.measures.filter { figures.epollVerdict($0)?.verdict == .notMet }
            .map { "\($0.topology.rawValue) \($0.title)" }
        let aims = judged.count { $0.1 == .aimMet }
        return "\(judged.count - missed.count) of \(judged.count) goals are met, \(aims) of them with their aim"
            + (missed.isEmpty ? "" : "; not met: \(missed.joined(separator: ", "))")
            + (slow.isEmpty ? "." : "; epoll is too far behind io_uring in: \(slow.joined(separator: ", ")).")
    }

    private var hasBase: Bool { figures.proxies.contains(Figures.base) && figures.ours != nil }
    private var hasBothLoops: Bool {
        figures.proxies.contains(Figures.ioURing) && figures.proxies.contains(Figures.epoll)
    }

    private var header: [String] {
        var cells = ["topology", "measure"] + figures.proxies
        if hasBase { cells += ["x HAProxy"] }
        if figures.ours != nil { cells += ["at least", "aim", "verdict"] }
        if hasBothLoops { cells += ["epoll / io_uring"] }
        return cells
    }

    private func row(_ measure: Measure) -> [String] {
        var cells = [measure.topology.rawValue, measure.heading]
        cells += figures.proxies.map { proxy in
            (figures.medians(of: measure, by: proxy) ?? []).map { decimalText($0, places: measure.places) }
                .joined(separator: " / ")
        }
        if hasBase, let ours = figures.ours {
            cells.append(figures.ratio(measure, ours, to: Figures.base).map { decimalText($0, places: 2) } ?? "")
        }
        if figures.ours != nil {
            let goal = Self.goalTexts(measure)
            cells += [goal.bound, goal.aim, figures.verdict(measure)?.rawValue ?? ""]
        }
        if hasBothLoops {
            cells.append(
                figures.epollVerdict(measure).map { "\(decimalText($0.advantage, places: 2)) \($0.verdict.rawValue)" }
                    ?? "")
        }
        return cells.map { $0.isEmpty ? "-" : $0 }
    }

    private static func goalTexts(_ measure: Measure) -> (bound: String, aim: String) {
        switch measure.goal {
        case .ratio(let bound, let aim):
            let sign = measure.better == .higher ? "" : "<= "
            return (
                "\(sign)\(decimalText(bound, places: 2)) x", aim.map { "\(sign)\(decimalText($0, places: 2)) x" } ?? ""
            )
        case .atMost(let bound, let aim):
            return ("<= \(decimalText(bound, places: 0))", aim.map { "<= \(decimalText($0, places: 0))" } ?? "")
        case nil: return ("", "")
        }
    }

    /// Pads the cells to aligned columns: numbers to the right, words to the left.
    private static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in max(3, rows.map { $0[column].count }.max() ?? 0) }
        let isText = rows[0].indices.map { $0 < 2 }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let gap = String(repeating: " ", count: widths[column] - cells[column].count)
                return isText[column] ? cells[column] + gap : gap + cells[column]
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rule = widths.indices.map { column in
            let dashes = String(repeating: "-", count: widths[column] - (isText[column] ? 0 : 1))
            return isText[column] ? dashes : dashes + ":"
        }
        return ([line(rows[0]), line(rule)] + rows.dropFirst().map(line)).joined(separator: "\n")
    }
}
