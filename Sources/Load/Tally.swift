import Glibc
import TLS
import Telemetry

/// The counters of a run.
struct Tally: ~Copyable {
    /// True between the end of the warm-up and the end of the run.
    var isMeasuring = false
    var latency = Histogram()
    var connect = Histogram()
    var handshake = Histogram()
    var errors = ErrorTally()
    /// Counted in the window.
    var requests: UInt64 = 0
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// Counted in the whole run.
    var everAnswered: UInt64 = 0
    var everUp: UInt64 = 0
    var everDown: UInt64 = 0
    var failures: UInt64 = 0
    var handshakes: UInt64 = 0
    var resumed: UInt64 = 0
    var facts: LoadResult.Negotiated?

    /// Whether the target has served anything: errors after that do not end the run early.
    var gotThrough: Bool { everAnswered > 0 || everDown > 0 || everUp > Self.swallowedBytes }

    /// More than the socket buffers of a target that does not read can hold.
    private static let swallowedBytes: UInt64 = 32 << 20
}

/// This process's CPU time.
struct ProcessorTime: Sendable {
    let userNanoseconds: Int64
    let systemNanoseconds: Int64

    /// The CPU time up to now.
    static func now() -> ProcessorTime {
        var usage = rusage()
        // Safe: the kernel fills the local structure.
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessorTime(
            userNanoseconds: Int64(usage.ru_utime.tv_sec) * 1_000_000_000 + Int64(usage.ru_utime.tv_usec) * 1_000,
            systemNanoseconds: Int64(usage.ru_stime.tv_sec) * 1_000_000_000 + Int64(usage.ru_stime.tv_usec) * 1_000)
    }
}
