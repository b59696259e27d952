import Telemetry
import Testing

@Suite("The text of metrics")
struct PrometheusTextTests {
    private static let counter = MetricFamily.counter("a_total", "Help.", by: ["x", "y"])
    private static let gauge = MetricFamily.gauge("b", "Help.")
    private static let times = MetricFamily.histogram("c_seconds", "Help.")

    private func text(_ format: PrometheusText.Format) -> String {
        var text = PrometheusText(format)
        text.write(Self.counter, [(labels: ["1", "a\"b\\c\nd"], value: UInt64.max)])
        text.write(Self.counter, [(labels: [String], value: UInt64)]())
        text.write(Self.gauge, -5)
        var times = TimeBuckets([500_000, 2_000_000_000])
        for nanoseconds in [-1, 2_000_000_000, 2_000_000_001, 3_249_999_999] as [Int64] { times.count(nanoseconds) }
        text.write(Self.times, times)
        return text.whole
    }

    @Test("has a head for each family that has samples, labels escaped, and times in seconds")
    func prometheus() {
        #expect(
            text(.prometheus) == """
                # HELP a_total Help.
                # TYPE a_total counter
                a_total{x="1",y="a\\"b\\\\c\\nd"} 18446744073709551615
                # HELP b Help.
                # TYPE b gauge
                b -5
                # HELP c_seconds Help.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.0005"} 1
                c_seconds_bucket{le="2"} 2
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 7.25
                c_seconds_count 4

                """)
    }

    @Test("as OpenMetrics names a counter without its suffix, and says where it ends")
    func openMetrics() {
        let text = text(.openMetrics)
        #expect(text.hasPrefix("# HELP a Help.\n# TYPE a counter\na_total{") && text.hasSuffix("\n# EOF\n"))
        #expect(
            PrometheusText.Format(accepting: "application/openmetrics-text; version=1.0.0,*/*;q=0.1") == .openMetrics)
        for accept in [nil, "", "*/*", "text/plain"] {
            #expect(PrometheusText.Format(accepting: accept) == .prometheus)
        }
    }
}
