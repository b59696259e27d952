import Glibc
import System

/// Why a loop could not be made, or can no longer run.
public enum EventLoopFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel or a container's seccomp profile refuses io_uring.
    case ioURingRefused(errno: Int32)
    /// The kernel has io_uring without something the loop needs.
    case ioURingLacks(String)
    /// A system call that cannot fail on a sound system failed.
    case systemCall(String, errno: Int32)

    public var description: String {
        switch self {
        case .ioURingRefused(EPERM):
            "io_uring is refused here, by a seccomp profile or kernel.io_uring_disabled: \(describe(EPERM))"
        case .ioURingRefused(let errno): "io_uring is refused here: \(describe(errno))"
        case .ioURingLacks(let what): "this kernel's io_uring lacks \(what)"
        case .systemCall(let name, let errno): "\(name): \(describe(errno))"
        }
    }
}
