import Glibc
import TLS
import Telemetry

/// What a run has counted so far.
struct Tally: ~Copyable {
    /// Between the end of the warm-up and the end of the run.
    var isMeasuring = false
    var latency = Histogram()
    var connect = Histogram()
    var handshake = Histogram()
    var errors = ErrorTally()
    /// In the window.
    var requests: UInt64 = 0
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// In the whole run.
    var everAnswered: UInt64 = 0
    var everUp: UInt64 = 0
    var everDown: UInt64 = 0
    var failures: UInt64 = 0
    var handshakes: UInt64 = 0
    var resumed: UInt64 = 0
    var facts: LoadResult.Negotiated?

    /// The target did something for us: errors from here on do not end the run early.
    var gotThrough: Bool { everAnswered > 0 || everDown > 0 || everUp > Self.swallowedBytes }

    /// More than socket buffers of a target that reads nothing swallow.
    private static let swallowedBytes: UInt64 = 32 << 20
}

/// This process's own processor time.
struct ProcessorTime: Sendable {
    let userNanoseconds: Int64
    let systemNanoseconds: Int64

    /// As of now.
    static func now() -> ProcessorTime {
        var usage = rusage()
        // Safe: the kernel fills the local structure.
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessorTime(
            userNanoseconds: Int64(usage.ru_utime.tv_sec) * 1_000_000_000 + Int64(usage.ru_utime.tv_usec) * 1_000,
            systemNanoseconds: Int64(usage.ru_stime.tv_sec) * 1_000_000_000 + Int64(usage.ru_stime.tv_usec) * 1_000)
    }
}
