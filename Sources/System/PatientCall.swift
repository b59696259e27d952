import Glibc
import Synchronization

/// Runs a call that has no deadline on another thread; nil if it takes longer than the time-out.
///
/// That thread is then left running: `body` must end by itself.
public func answer<Value: Sendable>(
    withinMilliseconds patience: Int32, _ body: @escaping @Sendable () -> Value
) throws(ThreadFault) -> Value? {
    let call = try PatientCall<Value>()
    _ = try PosixThread { call.finish(with: body()) }
    return call.wait(milliseconds: patience)
}

/// A call that runs on another thread.
private final class PatientCall<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    /// The end of a pipe that becomes readable once the value is set.
    private let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    init() throws(ThreadFault) {
        var ends: [Int32] = [-1, -1]
        // The call writes two descriptors into the array, which outlives it.
        guard unsafe pipe(&ends) == 0 else { throw ThreadFault(errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = OwnedDescriptor(ends[0])
        writeEnd = OwnedDescriptor(ends[1])
    }

    func finish(with value: Value) {
        self.value.withLock { $0 = value }
        var byte: UInt8 = 0
        // One byte of a local; an empty pipe has room for it.
        _ = systemCall { unsafe write(writeEnd.number, &byte, 1) }
    }

    func wait(milliseconds: Int32) -> Value? {
        let deadline = MonotonicClock.milliseconds() + Int64(max(0, milliseconds))
        while true {
            if let value = value.withLock(\.self) { return value }
            let left = deadline - MonotonicClock.milliseconds()
            guard left > 0 else { return nil }
            // A signal ends a wait early.
            _ = OwnedDescriptor.wait(readEnd.number, for: POLLIN, timeoutMilliseconds: Int32(clamping: left))
        }
    }
}
