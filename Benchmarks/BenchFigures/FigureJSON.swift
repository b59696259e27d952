/// Writes figures with every sample as JSON, one line per table row.
public struct FigureJSON: Sendable {
    let figures: Figures
    let conditions: Conditions

    public init(_ figures: Figures, _ conditions: Conditions) {
        self.figures = figures
        self.conditions = conditions
    }

    public var text: String {
        """
        {
        "conditions": \(about.line),
        "proxies": \(JSONValue.list(figures.proxies.map(JSONValue.text)).line),
        "measures": [
        \(figures.measures.map { row($0).line }.joined(separator: ",\n"))
        ]
        }

        """
    }

    private var about: JSONValue {
        .object([
            ("machine", .text(conditions.machine)), ("system", .text(conditions.system)),
            ("versions", .list(conditions.versions.map(JSONValue.text))), ("negotiated", .text(conditions.negotiated)),
            ("rounds", .number(Double(conditions.rounds))), ("windowSeconds", .number(conditions.windowSeconds)),
            ("command", .text(conditions.command)), ("notes", .list(conditions.notes.map(JSONValue.text))),
            ("elapsedSeconds", .number(conditions.elapsedSeconds.rounded())),
        ])
    }

    private func row(_ measure: Measure) -> JSONValue {
        let cells = figures.proxies.compactMap { proxy -> (String, JSONValue)? in
            guard let medians = figures.medians(of: measure, by: proxy) else { return nil }
            let rounds = figures.rounds(of: measure, by: proxy)
            return (
                proxy,
                .object([
                    ("medians", .list(medians.map(JSONValue.number))),
                    ("rounds", .list(rounds.map { .list($0.map(JSONValue.number)) })),
                ])
            )
        }
        let ratio = figures.ours.flatMap { figures.ratio(measure, $0, to: Figures.base) }
        return .object([
            ("id", .text(measure.id)), ("topology", .text(measure.topology.rawValue)), ("title", .text(measure.title)),
            ("unit", .text(measure.unit)), ("parts", .list(measure.parts.map(JSONValue.text))),
            ("better", .text(measure.better.rawValue)), ("values", .object(cells)),
            ("toHAProxy", ratio.map(JSONValue.number) ?? .null), ("goal", goal(measure)),
            ("verdict", figures.verdict(measure).map { .text($0.rawValue) } ?? .null),
            ("epollVerdict", figures.epollVerdict(measure).map { .text($0.verdict.rawValue) } ?? .null),
        ])
    }

    private func goal(_ measure: Measure) -> JSONValue {
        switch measure.goal {
        case .ratio(let bound, let aim):
            .object([
                (measure.better == .higher ? "ratioAtLeast" : "ratioAtMost", .number(bound)),
                ("aim", aim.map(JSONValue.number) ?? .null),
            ])
        case .atMost(let bound, let aim):
            .object([("atMost", .number(bound)), ("aim", aim.map(JSONValue.number) ?? .null)])
        case nil: .null
        }
    }
}
