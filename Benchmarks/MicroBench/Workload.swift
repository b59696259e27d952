/// One operation to measure; belongs to one thread.
protocol Workload: AnyObject {
    /// Prepares the input of the next `run` with the same number of operations; not measured.
    func prepare(_ operations: Int) throws
    func run(_ operations: Int) throws
}

extension Workload {
    func prepare(_ operations: Int) {}
}

/// A workload's name and size.
struct MicroCase: Sendable {
    let name: String
    /// The number of operations measured at a time.
    let operations: Int
    var usesOpenSSL = false
    /// False if it needs a system call that valgrind does not support.
    var runsUnderValgrind = true
    let make: @Sendable (Identities) throws -> any Workload

    /// A run after some warm-up operations.
    func warmedUp(_ identities: Identities) throws -> MeasuredRun {
        let workload = try make(identities)
        let operations = max(1, operations / 8)
        try workload.prepare(operations)
        try workload.run(operations)
        return MeasuredRun(workload, operations: self.operations)
    }
}

/// A workload and its outcome, for `measured`.
final class MeasuredRun {
    private let workload: any Workload
    private let operations: Int
    private var fault: (any Error)?

    init(_ workload: any Workload, operations: Int) {
        self.workload = workload
        self.operations = operations
    }

    /// Prepares, then runs inside the function that callgrind measures; returns the difference of `read` around it.
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

/// Callgrind counts inside this function, which `scripts/microbench` names.
@c(postern_measured) @inline(never)
private func measured(_ run: UnsafeRawPointer) {
    // Safe: the only caller passes a living `MeasuredRun`.
    unsafe Unmanaged<MeasuredRun>.fromOpaque(run).takeUnretainedValue().run()
}
