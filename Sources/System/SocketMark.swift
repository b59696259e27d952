import Glibc

/// Marks a socket's packets for firewall rules and routes (SO_MARK): zero, or a negated errno; EPERM without
/// CAP_NET_ADMIN.
public func setMark(_ mark: UInt32, of descriptor: Int32) -> Int32 {
    var value = mark
    // Safe: the kernel copies the four bytes during the call.
    return Int32(
        systemCall {
            unsafe Int(setsockopt(descriptor, SOL_SOCKET, SO_MARK, &value, socklen_t(MemoryLayout<UInt32>.size)))
        })
}
