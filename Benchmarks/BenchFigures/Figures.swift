/// All measurements: for each row and proxy, the values of each round.
public struct Figures: Sendable {
    private var known: [Measure] = []
    public let proxies: [String]
    private var samples: [String: [String: [[Double]]]] = [:]

    /// The base of the ratios.
    public static let base = "haproxy"

    /// - Parameter proxies: the columns, in their order.
    public init(proxies: [String]) { self.proxies = proxies }

    /// The rows, by topology, then in order of first appearance.
    public var measures: [Measure] {
        Measure.Topology.allCases.flatMap { topology in known.filter { $0.topology == topology } }
    }

    /// Adds one round's values of a row.
    public mutating func add(_ values: [Double], of measure: Measure, to proxy: String) {
        precondition(values.count == max(1, measure.parts.count), "a row of another shape")
        if samples[measure.id] == nil { known.append(measure) }
        samples[measure.id, default: [:]][proxy, default: []].append(values)
    }

    /// All rounds of a cell.
    public func rounds(of measure: Measure, by proxy: String) -> [[Double]] { samples[measure.id]?[proxy] ?? [] }

    /// The medians of a cell, one for each part; nil if it was not measured.
    public func medians(of measure: Measure, by proxy: String) -> [Double]? {
        let rounds = rounds(of: measure, by: proxy)
        guard let first = rounds.first else { return nil }
        return first.indices.map { part in median(rounds.map { $0[part] }) }
    }

    /// The value that represents a cell.
    public func judged(_ measure: Measure, by proxy: String) -> Double? {
        medians(of: measure, by: proxy)?[measure.judged]
    }

    /// The column that represents Postern: io_uring if measured.
    public var ours: String? {
        [Self.ioURing, "postern", Self.epoll].first { proxies.contains($0) }
    }

    /// The ratio of two proxies' values; nil unless both exist and are positive.
    public func ratio(_ measure: Measure, _ proxy: String, to other: String) -> Double? {
        guard let value = judged(measure, by: proxy), let reference = judged(measure, by: other), value > 0,
            reference > 0
        else { return nil }
        return value / reference
    }

    /// How many times better one proxy is than another: more than 1 is better, whatever the row's direction.
    public func advantage(_ measure: Measure, _ proxy: String, over other: String) -> Double? {
        ratio(measure, proxy, to: other).map { measure.better == .higher ? $0 : 1 / $0 }
    }

    /// Whether Postern's column reaches the row's goal; nil without a goal or values.
    public func verdict(_ measure: Measure) -> Verdict? {
        guard let ours, let goal = measure.goal else { return nil }
        switch goal {
        case .ratio(let bound, let aim):
            guard let ratio = ratio(measure, ours, to: Self.base) else { return nil }
            let reaches = { (limit: Double) in measure.better == .higher ? ratio >= limit : ratio <= limit }
            return Self.verdict(bound, aim, reaches)
        case .atMost(let bound, let aim):
            // Some rows can only be measured with epoll.
            guard let value = judged(measure, by: ours) ?? judged(measure, by: Self.epoll) else { return nil }
            return Self.verdict(bound, aim) { value <= $0 }
        }
    }

    /// Whether epoll keeps up with io_uring in a row; nil unless both were measured.
    public func epollVerdict(_ measure: Measure) -> (advantage: Double, verdict: Verdict)? {
        guard let advantage = advantage(measure, Self.epoll, over: Self.ioURing) else { return nil }
        return (advantage, Self.verdict(Self.epollBound, Self.epollAim) { advantage >= $0 })
    }

    private static func verdict(_ bound: Double, _ aim: Double?, _ reaches: (Double) -> Bool) -> Verdict {
        guard reaches(bound) else { return .notMet }
        return aim.map(reaches) ?? false ? .aimMet : .met
    }

    public static let ioURing = "postern-io_uring"
    public static let epoll = "postern-epoll"
    /// epoll's required and aimed performance relative to io_uring.
    public static let epollBound = 0.75
    public static let epollAim = 0.9
}
