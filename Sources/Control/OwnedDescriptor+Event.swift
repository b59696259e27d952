import CLibEvent
import Glibc
import System

extension OwnedDescriptor {
    /// An eventfd, non-blocking, its counter at zero.
    static func event() throws(ControlFault) -> OwnedDescriptor {
        let number = eventfd(0, postern_eventfd_flags)
        guard number >= 0 else { throw .system(what: "cannot make an eventfd", errno: errno) }
        return OwnedDescriptor(number)
    }
}
