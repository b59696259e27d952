import BenchFigures
import Foundation
import FoundationXML
import Testing

@Suite("Table, JSON and chart of a benchmark")
struct RenderingTests {
    @Test("the table shows medians, ratios, goals and verdicts in aligned columns")
    func table() throws {
        let lines = FigureTable(figures, conditions).text.split(separator: "\n").map(String.init)
        #expect(
            lines[0] == "| topology | measure                  | haproxy | nginx | postern-io_uring | postern-epoll "
                + "| x HAProxy |  at least |    aim | verdict | epoll / io_uring |")
        #expect(
            lines[2] == "| pair     | bulk up, Gbit per CPU-s  |    2.00 |     - |             4.00 |          3.00 "
                + "|      2.00 |    1.50 x | 2.00 x | aim met |         0.75 met |")
        #expect(
            lines[3] == "| inbound  | echo <x1>, p50 / p99, us | 10 / 40 | 9 / 8 |          11 / 44 |             - "
                + "|      1.10 | <= 1.00 x |      - | not met |                - |")
        #expect(Set(lines.prefix(4).map(\.count)).count == 1)
        #expect(lines[4].contains("scripts/bench --quick") && lines[4].contains("Medians of 3 interleaved rounds"))
        #expect(lines.last == "a note")
    }

    @Test("one line names the goals that are not met")
    func verdict() {
        #expect(
            FigureTable(figures, conditions).verdict
                == "1 of 2 goals are met, 1 of them with their aim; not met: inbound echo <x1>.")
    }

    @Test("the JSON holds every sample, the medians and the conditions")
    func json() throws {
        let text = FigureJSON(figures, conditions).text
        let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let rows = try #require(root["measures"] as? [[String: Any]])
        try #require(rows.count == 2)
        let cells = try #require(rows[0]["values"] as? [String: [String: Any]])
        #expect(cells["haproxy"]?["rounds"] as? [[Double]] == [[1], [2], [3.5]])
        #expect(cells["haproxy"]?["medians"] as? [Double] == [2])
        #expect(cells["nginx"] == nil)
        #expect(rows[1]["verdict"] as? String == "not met" && rows[0]["toHAProxy"] as? Double == 2)
        #expect((root["conditions"] as? [String: Any])?["machine"] as? String == "a \"machine\" & <more>")
    }

    @Test("the chart is well-formed XML with a bar for each value beside HAProxy's")
    func chart() {
        let reader = ShapeReader(FigureChart(figures, conditions).svg)
        #expect(reader.isWellFormed)
        // Background, legend of three, two bars of one row and two of the other.
        #expect(reader.rectangles == 1 + 3 + 2 + 2)
        #expect(reader.text.contains("2.0x") || reader.text.contains("2.00x"))
        #expect(reader.text.contains("a \"machine\" & <more>"))
    }

    private let conditions: Conditions = {
        var conditions = Conditions(
            machine: "a \"machine\" & <more>", system: "Debian 12", versions: ["OpenSSL 3.0"], negotiated: "TLS 1.3",
            rounds: 3, windowSeconds: 0.5, command: "scripts/bench --quick")
        conditions.notes = ["a note"]
        return conditions
    }()

    private let figures: Figures = {
        let up = Measure(
            "up", .pair, "bulk up", unit: "Gbit per CPU-s", places: 2, goal: .ratio(1.5, aim: 2))
        let echo = Measure(
            "echo", .inbound, "echo <x1>", unit: "us", parts: ["p50", "p99"], judged: 1, better: .lower,
            goal: .ratio(1, aim: nil))
        var figures = Figures(proxies: ["haproxy", "nginx", "postern-io_uring", "postern-epoll"])
        for value in [1, 2, 3.5] { figures.add([value], of: up, to: "haproxy") }
        figures.add([4], of: up, to: "postern-io_uring")
        figures.add([3], of: up, to: "postern-epoll")
        figures.add([10, 40], of: echo, to: "haproxy")
        figures.add([9, 8], of: echo, to: "nginx")
        figures.add([11, 44], of: echo, to: "postern-io_uring")
        return figures
    }()
}

/// Counts the rectangles of an SVG and gathers its text.
private final class ShapeReader: NSObject, XMLParserDelegate {
    private(set) var isWellFormed = false
    private(set) var rectangles = 0
    private(set) var text = ""

    init(_ svg: String) {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        isWellFormed = parser.parse()
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if name == "rect" { rectangles += 1 }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
