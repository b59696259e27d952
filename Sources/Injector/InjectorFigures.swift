import Kubernetes
import Telemetry

/// The figures of `/metrics`. Belongs to the control thread.
struct InjectorFigures {
    private var reviews: [Result: UInt64] = [:]
    private var durations = TimeBuckets(Self.bounds)
    private var patchBytes: UInt64 = 0
    private var refusals: [Int32: UInt64] = [:]
    var certificateReloads: UInt64 = 0
    var certificateFailures: UInt64 = 0
    var certificateIsSound = true

    /// What a review came to, as metrics and logs name it.
    struct Result: Hashable, Sendable {
        let name: String
        /// Of what is skipped.
        var reason = ""

        init(_ outcome: ReviewQueue.Outcome) {
            switch outcome {
            case .malformed: name = "malformed"
            case .late: name = "late"
            case .answered(let answer):
                switch answer.outcome {
                case .injected: name = "injected"
                case .denied: name = "denied"
                case .skipped(let skip):
                    name = "skipped"
                    reason = skip.code
                }
            }
        }
    }

    mutating func count(_ outcome: ReviewQueue.Outcome, nanoseconds: Int64) {
        reviews[Result(outcome), default: 0] += 1
        if case .answered(let answer) = outcome { patchBytes += UInt64(answer.patchBytes) }
        durations.count(nanoseconds)
    }

    mutating func countRefusal(status: Int32) { refusals[status, default: 0] += 1 }

    struct State {
        var connections: Int
        var cut: UInt64
        /// Unix seconds.
        var certificateNotAfter: Int64
    }

    func write(_ state: State, to text: inout PrometheusText) {
        typealias Metrics = InjectorMetrics
        text.write(
            Metrics.reviews,
            reviews.sorted { ($0.key.name, $0.key.reason) < ($1.key.name, $1.key.reason) }.map {
                (labels: [$0.key.name, $0.key.reason], value: $0.value)
            })
        text.write(
            Metrics.refusals,
            refusals.sorted { $0.key < $1.key }.map { (labels: ["\($0.key)"], value: $0.value) })
        text.write(Metrics.durations, durations)
        text.write(Metrics.patchBytes, patchBytes)
        text.write(Metrics.active, state.connections)
        text.write(Metrics.cut, state.cut)
        text.write(Metrics.certificateExpiry, state.certificateNotAfter)
        text.write(Metrics.certificateReloads, certificateReloads)
        text.write(Metrics.certificateFailures, certificateFailures)
        text.write(Metrics.certificateSound, certificateIsSound ? 1 : 0)
    }

    private static let bounds: [UInt64] = [
        250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
}

/// All metrics of the injector.
enum InjectorMetrics {
    static let reviews = MetricFamily.counter(
        "postern_injector_reviews_total", "Reviews answered, by result, and of those skipped by reason.",
        by: ["result", "reason"])
    static let refusals = MetricFamily.counter(
        "postern_injector_requests_refused_total", "HTTP requests refused that were no review, by status.",
        by: ["status"])
    static let durations = MetricFamily.histogram(
        "postern_injector_review_duration_seconds", "From the whole review to its answer.")
    static let patchBytes = MetricFamily.counter("postern_injector_patch_bytes_total", "Size of all JSON patches.")
    static let active = MetricFamily.gauge("postern_injector_connections_active", "Connections open.")
    static let cut = MetricFamily.counter(
        "postern_injector_connections_cut_total", "Connections closed because a limit was reached.")
    static let certificateExpiry = MetricFamily.gauge(
        "postern_injector_certificate_not_after_seconds", "Expiry of the served certificate, in Unix seconds.")
    static let certificateReloads = MetricFamily.counter(
        "postern_injector_certificate_reloads_total", "Changes of the certificate.")
    static let certificateFailures = MetricFamily.counter(
        "postern_injector_certificate_failures_total", "New certificates refused, or not obtained.")
    static let certificateSound = MetricFamily.gauge(
        "postern_injector_certificate_sound",
        "0 while a new certificate is refused and an older one is in use, else 1.")
}
