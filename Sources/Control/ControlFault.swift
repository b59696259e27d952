import System

/// Why a part of the control thread could not be set up.
public enum ControlFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed; `what` is the operation, e.g. `cannot open access.log`.
    case system(what: String, errno: Int32)
    /// A libevent call failed; libevent gives no reason.
    case libevent(call: String)

    public var description: String {
        switch self {
        case .system(let what, let errno): "\(what): \(systemMessage(errno))"
        case .libevent(let call): "\(call) failed"
        }
    }
}
