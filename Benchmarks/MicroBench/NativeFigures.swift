import CAllocationCount
import Glibc

/// The cost of a case in this process, without valgrind.
struct NativeFigures {
    /// CPU time of one operation, the median of the repetitions.
    let nanoseconds: Double
    /// Heap allocations of one operation, in tenths.
    let allocationTenths: Int

    init(_ microCase: MicroCase, _ identities: Identities) throws {
        let run = try microCase.warmedUp(identities)
        var times: [Double] = []
        var blocks: [UInt64] = []
        for _ in 0..<Self.repetitions {
            let figures = try run.perform {
                (blocks: allocation_count(), nanoseconds: Self.threadNanoseconds())
            }
            blocks.append(figures.after.blocks - figures.before.blocks)
            times.append(
                Double(figures.after.nanoseconds - figures.before.nanoseconds) / Double(microCase.operations))
        }
        nanoseconds = times.sorted()[times.count / 2]
        let operations = UInt64(microCase.operations)
        allocationTenths = Int((blocks.sorted()[blocks.count / 2] * 10 + operations / 2) / operations)
    }

    private static func threadNanoseconds() -> Int64 {
        var now = timespec()
        // Safe: the call fills a local.
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    private static let repetitions = 11
}
