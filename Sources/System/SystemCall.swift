public import Glibc

/// Runs a system call until a signal no longer interrupts it; a failure is the negated errno.
///
/// EBADF and EFAULT are our own bugs, and carrying on would touch another connection's descriptor: they trap.
@inlinable
@inline(__always)
public func systemCall(_ body: () -> Int) -> Int {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code == EINTR { continue }
        precondition(code != EBADF && code != EFAULT, "a descriptor or buffer was used after its end")
        return Int(0 - code)
    }
}
