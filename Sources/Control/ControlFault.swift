import Glibc

/// Why a part of the control thread could not be set up.
public enum ControlFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed; `what` says to what end it was made, e.g. `cannot open access.log`.
    case system(what: String, errno: Int32)
    /// libevent refused a call; it says no more.
    case libevent(call: String)

    public var description: String {
        switch self {
        case .system(let what, let errno): "\(what): \(systemMessage(errno))"
        case .libevent(let call): "\(call) failed"
        }
    }
}

/// The C library's text for an errno.
public func systemMessage(_ errno: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let room = buffer.count
    // The POSIX variant writes a terminated string of at most `room` bytes into the array, which outlives the call.
    guard unsafe strerror_r(errno, &buffer, room) == 0 else { return "error \(errno)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
