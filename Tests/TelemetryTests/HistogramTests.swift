import PosternTesting
import Telemetry
import Testing

@Suite("Histogram")
struct HistogramTests {
    /// How values are spread.
    enum Spread: String, CaseIterable, Sendable {
        case uniform, exponential, small, constant, twoPeaks

        func value(_ random: inout SystemRandomNumberGenerator) -> UInt64 {
            switch self {
            case .uniform: UInt64.random(in: 0...10_000_000_000, using: &random)
            case .exponential: UInt64(1) << UInt64.random(in: 0...40, using: &random) | UInt64.random(in: 0...99)
            case .small: UInt64.random(in: 0...5_000, using: &random)
            case .constant: 123_456_789
            case .twoPeaks: Bool.random(using: &random) ? 40_000 + UInt64.random(in: 0...99) : 250_000_000
            }
        }
    }

    @Test("percentiles are those of the sorted values, as far as the digits go", arguments: Spread.allCases, 1...3)
    func oracle(spread: Spread, digits: Int) {
        var random = SystemRandomNumberGenerator()
        var histogram = Histogram(digits: digits)
        var values: [UInt64] = []
        for _ in 0..<5_000 {
            values.append(spread.value(&random))
            histogram.record(values[values.count - 1])
        }
        values.sort()
        var permille = 1.0
        for _ in 0..<digits { permille /= 10 }
        for percent in [0, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100] {
            let rank = max(1, Int((Double(values.count) * percent / 100).rounded(.up)))
            let exact = values[rank - 1]
            let answer = histogram.value(atPercentile: percent) ?? 0
            #expect(answer >= exact, "at \(percent)")
            #expect(Double(answer - exact) <= Double(exact) * permille, "\(answer) for \(exact) at \(percent)")
        }
        #expect(histogram.minimum == values.first)
        #expect(histogram.maximum == values.last)
        #expect(histogram.mean == UInt64(values.reduce(0) { $0 + UInt128($1) } / UInt128(values.count)))
        #expect(histogram.count == 5_000)
    }

    @Test("values below two thousand are kept exactly at three digits")
    func exact() {
        for value in stride(from: 0, through: 2_047, by: 23) as StrideThrough<UInt64> {
            var histogram = Histogram()
            histogram.record(value)
            histogram.record(1_000_000)
            #expect(histogram.value(atPercentile: 50) == value)
        }
    }

    @Test("values at and around every power of two come back within a thousandth")
    func borders() {
        for bit in 1...41 as ClosedRange<UInt64> {
            for value in [1 << bit - 1, 1 << bit, 1 << bit + 1] as [UInt64] {
                var histogram = Histogram()
                histogram.record(value)
                histogram.record(3_600_000_000_000)
                let answer = histogram.value(atPercentile: 50) ?? 0
                #expect(answer >= value && answer - value <= value / 1_000)
            }
        }
    }

    @Test("a value over the highest counts as the highest, and as clamped")
    func clamped() {
        var histogram = Histogram(highestTrackable: 10_000)
        histogram.record(.max)
        histogram.record(10_000)
        #expect(histogram.count == 2)
        #expect(histogram.clampedCount == 1)
        #expect(histogram.maximum == 10_000)
        #expect(histogram.value(atPercentile: 100) == 10_000)
    }

    @Test("two merged histograms are the histogram of both")
    func merge() {
        var random = SystemRandomNumberGenerator()
        var left = Histogram()
        var right = Histogram()
        var both = Histogram()
        for index in 0..<10_000 {
            let value = Spread.exponential.value(&random)
            both.record(value)
            if index.isMultiple(of: 3) { left.record(value) } else { right.record(value) }
        }
        left.merge(right)
        for percent in [0, 1, 50, 99, 99.9, 100] {
            #expect(left.value(atPercentile: percent) == both.value(atPercentile: percent))
        }
        #expect(left.count == both.count && left.mean == both.mean)
        #expect(left.minimum == both.minimum && left.maximum == both.maximum)
    }

    @Test("one without values has no summary, before the first value and after a reset")
    func empty() {
        var histogram = Histogram()
        #expect(histogram.value(atPercentile: 50) == nil && histogram.mean == nil && histogram.maximum == nil)
        #expect(HistogramSummary(histogram) == nil)
        histogram.record(7)
        #expect(HistogramSummary(histogram)?.p99 == 7)
        histogram.removeAll()
        #expect(histogram.count == 0 && HistogramSummary(histogram) == nil)
    }
}
