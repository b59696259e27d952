/// One thing to measure; belongs to one thread.
protocol Workload: AnyObject {
    /// Makes what the next `run` of as many operations uses up; not measured.
    func prepare(_ operations: Int) throws
    func run(_ operations: Int) throws
}

extension Workload {
    func prepare(_ operations: Int) {}
}

/// A workload's name and size.
struct MicroCase: Sendable {
    let name: String
    /// How many operations are measured at a time.
    let operations: Int
    var usesOpenSSL = false
    /// False where valgrind does not know a system call that it needs.
    var runsUnderValgrind = true
    let make: @Sendable (Identities) throws -> any Workload

    /// A run whose workload has done some operations, so that code has run and caches are warm.
    func warmedUp(_ identities: Identities) throws -> MeasuredRun {
        let workload = try make(identities)
        let operations = max(1, operations / 8)
        try workload.prepare(operations)
        try workload.run(operations)
        return MeasuredRun(workload, operations: self.operations)
    }
}

/// A workload and how it went, for `measured`.
final class MeasuredRun {
    private let workload: any Workload
    private let operations: Int
    private var fault: (any Error)?

    init(_ workload: any Workload, operations: Int) {
        self.workload = workload
        self.operations = operations
    }

    /// Prepares, and then runs within the function that callgrind watches; returns what `read` says around that.
    @discardableResult
    func perform<Figures>(reading read: () -> Figures) throws -> (before: Figures, after: Figures) {
        try workload.prepare(operations)
        let before = read()
        // Safe: this object is alive during the call.
        unsafe measured(Unmanaged.passUnretained(self).toOpaque())
        let after = read()
        if let fault { throw fault }
        return (before, after)
    }

    fileprivate func run() {
        do { try workload.run(operations) } catch { fault = error }
    }
}

/// What happens in here is counted; `scripts/microbench` tells callgrind this function's name.
@c(postern_measured) @inline(never)
private func measured(_ run: UnsafeRawPointer) {
    // Safe: the only caller passes a living `MeasuredRun`.
    unsafe Unmanaged<MeasuredRun>.fromOpaque(run).takeUnretainedValue().run()
}
