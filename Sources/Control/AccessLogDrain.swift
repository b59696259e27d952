import Logging
import System
import Telemetry

/// Moves records from the queues to the output and counts lost ones. Belongs to the writer's thread.
struct AccessLogDrain: ~Copyable {
    private var output: AccessLogOutput
    private let queues: [BoundedQueue<AccessRecord>]
    private let logger: Logger
    private var lines: [UInt8] = []
    private var lastWriteErrno: Int32 = 0
    /// Records encoded but not written.
    private var unwrittenCount = 0
    private var reportedCount = 0
    private var lastReportMilliseconds: Int64 = .min / 2

    init(output: consuming AccessLogOutput, queues: [BoundedQueue<AccessRecord>], logger: Logger) {
        self.output = output
        self.queues = queues
        self.logger = logger
    }

    /// Whether there are lost records not yet logged.
    var hasUnreported: Bool { lostCount > reportedCount }

    mutating func reopen() {
        do throws(ControlFault) {
            try output.reopen()
        } catch {
            logger.error("access log: the old file stays in use", metadata: ["error": "\(error)"])
        }
    }

    /// Writes all queued records; true if there were any. `now` is monotonic.
    mutating func pass(now: Int64, isLast: Bool = false) -> Bool {
        var moved = false
        for queue in queues {
            var records = 0
            while let record = queue.pop() {
                record.appendJSON(to: &lines)
                records += 1
                if lines.count >= Self.batchBytes {
                    flush(records: records)
                    records = 0
                }
                moved = true
            }
            flush(records: records)
        }
        report(now: now, isLast: isLast)
        return moved
    }

    /// Requests a wake-up from every queue; false if one already holds a record.
    func prepareToSleep() -> Bool {
        queues.allSatisfy { $0.prepareToSleep() }
    }

    private mutating func flush(records: Int) {
        guard records > 0 else { return }
        if case .failed(let written, let reason) = output.write(lines) {
            // Only whole lines count as written; a partial line is terminated, so that the next one starts on its own
            // line.
            let whole = lines.prefix(written).count { $0 == UInt8(ascii: "\n") }
            unwrittenCount += records - whole
            lastWriteErrno = reason
            if written > 0, lines[written - 1] != UInt8(ascii: "\n") { _ = output.write([UInt8(ascii: "\n")]) }
        }
        lines.removeAll(keepingCapacity: true)
    }

    private mutating func report(now: Int64, isLast: Bool) {
        guard hasUnreported, isLast || now - lastReportMilliseconds >= Int64(Self.reportMilliseconds) else { return }
        var metadata: Logger.Metadata = [:]
        if lastWriteErrno != 0 { metadata["error"] = "\(systemMessage(lastWriteErrno))" }
        let lost = lostCount
        logger.warning("access log: dropped \(lost - reportedCount) records", metadata: metadata)
        reportedCount = lost
        lastReportMilliseconds = now
        lastWriteErrno = 0
    }

    var lostCount: Int { queues.reduce(unwrittenCount) { $0 + $1.droppedCount } }

    static let reportMilliseconds: Int32 = 1_000
    private static let batchBytes = 64 * 1_024
}
