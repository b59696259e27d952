public import Glibc

/// Runs a system call, retrying on EINTR; a failure is the negated errno.
///
/// Traps on EBADF and EFAULT: they are our bugs, and continuing could touch another connection's descriptor.
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
