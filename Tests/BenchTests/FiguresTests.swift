import BenchFigures
import Testing

@Suite("Figures of a benchmark")
struct FiguresTests {
    @Test(
        "a number is written with commas and so many decimals",
        arguments: [
            (35_792.4, 0, "35,792"), (1_234_567, 0, "1,234,567"), (999.96, 1, "1,000.0"), (0.046, 2, "0.05"),
            (-1.26, 1, "-1.3"), (-0.01, 1, "0.0"), (7, 0, "7"), (.infinity, 1, "-"),
        ])
    func numbers(value: Double, places: Int, expected: String) {
        #expect(decimalText(value, places: places) == expected)
    }

    @Test("the median of an even number of values is the middle of the two in the middle; of none it is 0")
    func medians() {
        #expect(median([3, 1, 2]) == 2)
        #expect(median([4, 1, 3, 2]) == 2.5)
        #expect(median([]) == 0)
    }

    @Test(
        "a goal is met at its bound, and the aim at the aim",
        arguments: [
            (Measure.Better.higher, Goal.ratio(1.5, aim: 2), 149.0, Verdict.notMet),
            (.higher, .ratio(1.5, aim: 2), 150, .met),
            (.higher, .ratio(1.5, aim: 2), 200, .aimMet), (.lower, .ratio(0.75, aim: 0.4), 76, .notMet),
            (.lower, .ratio(0.75, aim: 0.4), 75, .met), (.lower, .ratio(0.75, aim: 0.4), 40, .aimMet),
            (.lower, .ratio(1, aim: nil), 50, .met), (.lower, .atMost(16, aim: 11), 17, .notMet),
            (.lower, .atMost(16, aim: 11), 16, .met), (.lower, .atMost(16, aim: 11), 10, .aimMet),
        ])
    func verdicts(better: Measure.Better, goal: Goal, ours: Double, expected: Verdict) {
        let measure = Measure("a", .pair, "a", unit: "b", better: better, goal: goal)
        var figures = Figures(proxies: ["haproxy", "postern-io_uring"])
        figures.add([100], of: measure, to: "haproxy")
        figures.add([ours], of: measure, to: "postern-io_uring")
        #expect(figures.verdict(measure) == expected)
    }

    @Test("a row that only epoll can be measured in is judged by epoll")
    func epollAlone() {
        let measure = Measure("a", .pair, "a", unit: "b", better: .lower, goal: .atMost(1_500, aim: 600))
        var figures = Figures(proxies: ["postern-io_uring", "postern-epoll"])
        figures.add([700], of: measure, to: "postern-epoll")
        #expect(figures.verdict(measure) == .met)
        #expect(figures.epollVerdict(measure) == nil)
    }

    @Test(
        "epoll is compared with io_uring in the row's direction",
        arguments: [(Measure.Better.higher, 70.0, Verdict.notMet), (.higher, 80, .met), (.lower, 110, .aimMet)])
    func epoll(better: Measure.Better, epoll: Double, expected: Verdict) {
        let measure = Measure("a", .pair, "a", unit: "b", better: better)
        var figures = Figures(proxies: ["postern-io_uring", "postern-epoll"])
        figures.add([100], of: measure, to: "postern-io_uring")
        figures.add([epoll], of: measure, to: "postern-epoll")
        #expect(figures.epollVerdict(measure)?.verdict == expected)
    }

    @Test("rows are ordered by topology, whatever the order of measurement")
    func order() {
        var figures = Figures(proxies: ["haproxy"])
        for (id, topology) in [("a", Measure.Topology.pair), ("b", .inbound), ("c", .pair), ("a", .pair)] {
            figures.add([1], of: Measure(id, topology, id, unit: "b"), to: "haproxy")
        }
        #expect(figures.measures.map(\.id) == ["a", "c", "b"])
    }
}
