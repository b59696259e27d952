import Kubernetes
import Telemetry

/// The figures of `/metrics`. Belongs to the control thread.
struct InjectorFigures {
    private var reviews: [Result: UInt64] = [:]
    private var durations = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    private var durationSum: UInt64 = 0
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
        let nanoseconds = UInt64(max(0, nanoseconds))
        durationSum += nanoseconds
        durations[Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count] += 1
    }

    mutating func countRefusal(status: Int32) { refusals[status, default: 0] += 1 }

    struct State {
        var connections: Int
        var cut: UInt64
        /// Unix seconds.
        var certificateNotAfter: Int64
    }

    /// Prometheus text (exposition format 0.0.4).
    func text(_ state: State) -> String {
        var text = PrometheusText()
        text.counter(
            "postern_injector_reviews_total", "Reviews answered, by result, and of those skipped by reason.",
            reviews.sorted { ($0.key.name, $0.key.reason) < ($1.key.name, $1.key.reason) }.map {
                PrometheusText.Sample(
                    labels: [("result", $0.key.name), ("reason", $0.key.reason)], value: $0.value)
            })
        text.counter(
            "postern_injector_requests_refused_total", "HTTP requests refused that were no review, by status.",
            refusals.sorted { $0.key < $1.key }.map {
                PrometheusText.Sample(labels: [("status", "\($0.key)")], value: $0.value)
            })
        var sum: UInt64 = 0
        text.histogram(
            "postern_injector_review_duration_seconds", "From the whole review to its answer.",
            boundsNanoseconds: Self.bounds,
            counts: durations.map { count in
                sum += count
                return sum
            }, sumNanoseconds: durationSum)
        text.counter("postern_injector_patch_bytes_total", "Size of all JSON patches.", patchBytes)
        text.gauge("postern_injector_connections_active", "Connections open.", Int64(state.connections))
        text.counter(
            "postern_injector_connections_cut_total", "Connections closed because a limit was reached.", state.cut)
        text.gauge(
            "postern_injector_certificate_not_after_seconds", "Expiry of the served certificate, in Unix seconds.",
            state.certificateNotAfter)
        text.counter("postern_injector_certificate_reloads_total", "Changes of the certificate.", certificateReloads)
        text.counter(
            "postern_injector_certificate_failures_total", "New certificates refused, or not obtained.",
            certificateFailures)
        text.gauge(
            "postern_injector_certificate_sound",
            "0 while a new certificate is refused and an older one is in use, else 1.", certificateIsSound ? 1 : 0)
        return text.text
    }

    private static let bounds: [UInt64] = [
        250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
}
