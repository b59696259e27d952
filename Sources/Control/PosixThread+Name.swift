import CLibEvent
import Glibc
package import System

extension PosixThread {
    /// Runs `body` on a new thread; `name` is truncated to the kernel's 15 bytes.
    package static func spawn(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ControlFault) -> PosixThread {
        do throws(ThreadFault) {
            return try PosixThread {
                // The C string is valid for the call.
                unsafe pthread_setname_np(pthread_self(), String(name.prefix(15)))
                body()
            }
        } catch {
            throw .system(what: "cannot start thread \(name)", errno: error.errno)
        }
    }
}
