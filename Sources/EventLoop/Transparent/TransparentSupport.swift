import Glibc
import System

/// What kernel and privileges allow of transparent proxying, found out on sockets that are closed again.
///
/// Each is zero, or the errno of the refusal.
public enum TransparentSupport {
    /// IP_TRANSPARENT: EPERM without CAP_NET_ADMIN.
    public static func transparentSockets(isIPv6: Bool) -> Int32 {
        attempt(isIPv6: isIPv6) { 0 - Sockets.makeTransparent($0, isIPv6: isIPv6) }
    }

    /// SO_MARK: EPERM without CAP_NET_ADMIN.
    public static func marks(_ mark: UInt32) -> Int32 {
        attempt(isIPv6: false) { 0 - setMark(mark, of: $0) }
    }

    /// SO_ORIGINAL_DST: ENOPROTOOPT without the kernel's connection tracking.
    public static func originalDestinations(isIPv6: Bool) -> Int32 {
        attempt(isIPv6: isIPv6) { descriptor in
            let fault = SocketAddress.originalDestinationFault(descriptor, isIPv6: isIPv6)
            // This socket is not connected, which the kernel finds out once it knows the option.
            return fault == ENOENT || fault == ENOTCONN ? 0 : fault
        }
    }

    private static func attempt(isIPv6: Bool, _ body: (Int32) -> Int32) -> Int32 {
        let address = isIPv6 ? SocketAddress(v6: 0, 0, port: 0) : SocketAddress(v4: 0, port: 0)
        let descriptor = Sockets.open(for: address, nonBlocking: true)
        guard descriptor >= 0 else { return 0 - descriptor }
        defer { Sockets.close(descriptor, reset: false) }
        return body(descriptor)
    }
}
