import CLibURing
import Glibc
import System

/// The socket calls that never block, so that they need no completion. Kernel backends share them.
enum Sockets {
    /// A Unix socket, or a TCP socket with TCP_NODELAY and keep-alive, which accepted ones inherit from their listener;
    /// closed on exec.
    /// Returns a negated errno if the system refuses one.
    ///
    /// - Parameter address: where it is to connect, or where it is to listen.
    static func open(for address: SocketAddress, nonBlocking: Bool) -> Int32 {
        let type = postern_sock_stream_cloexec | (nonBlocking ? postern_sock_nonblock : 0)
        let descriptor = Int32(systemCall { Int(socket(address.family, type, 0)) })
        if descriptor >= 0, !address.isUnix { tune(descriptor, address) }
        return descriptor
    }

    /// Sets what every TCP socket of ours has.
    static func tune(_ descriptor: Int32, _ address: SocketAddress) {
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, keepAliveIdleSeconds)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, keepAliveIntervalSeconds)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, keepAliveProbes)
        // What the kernel buffers for a reader that stalls is the host's memory, which no limit of ours counts.
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, unsentBytes)
        if address.isLoopback { useReno(descriptor) }
    }

    /// Within a host there is no path to probe and no queue to share: BBR's pacing, where it is the system's default,
    /// only adds timers. Reno is in every kernel, and needs no privilege.
    private static func useReno(_ descriptor: Int32) {
        // Safe: the kernel copies the name during the call.
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CONGESTION, "reno", 4)
    }

    /// A host that vanished is detected after two minutes of silence, whatever the idle time-out.
    static let keepAliveIdleSeconds: Int32 = 60
    static let keepAliveIntervalSeconds: Int32 = 10
    static let keepAliveProbes: Int32 = 6
    /// About as much as one send brings.
    static let unsentBytes: Int32 = 256 * 1024

    static func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // Safe: the kernel copies the four bytes during the call. A refused option leaves a slower, sound socket.
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The value of an option that is a number; -1 where the socket has none such.
    static func option(_ descriptor: Int32, _ level: Int32, _ option: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // Safe: the kernel writes four bytes at most.
        let result = unsafe getsockopt(descriptor, level, option, &value, &length)
        return result == 0 ? value : -1
    }

    /// Takes a connection that is queued, without waiting: a negated errno, EAGAIN if there is none.
    static func acceptQueued(_ listener: Int32, nonBlocking: Bool) -> Int32 {
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        let flags = postern_sock_cloexec | (nonBlocking ? postern_sock_nonblock : 0)
        return Int32(systemCall { Int(postern_accept(listener, flags)) })
    }

    static func unacknowledgedBytes(_ descriptor: Int32) -> Int {
        var count: Int32 = 0
        // Safe: SIOCOUTQ writes one int.
        let result = unsafe ioctl(descriptor, UInt(TIOCOUTQ), &count)
        return result == 0 ? Int(count) : 0
    }

    /// Connects a Unix socket, which takes no time: zero, or a negated errno, EAGAIN if the listener's queue is full.
    ///
    /// - Parameter isNonBlocking: of the descriptor, before and after.
    static func connectAtOnce(_ descriptor: Int32, to address: SocketAddress, isNonBlocking: Bool) -> Int32 {
        if isNonBlocking { return address.connect(descriptor) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        defer { _ = fcntl(descriptor, F_SETFL, 0) }
        return address.connect(descriptor)
    }

    static func shutdownWrite(_ descriptor: Int32) {
        // ENOTCONN means that the peer was faster; its completion tells the owner.
        _ = Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes; `reset` makes TCP send RST instead of FIN, so that the other side cannot take it for an orderly close.
    static func close(_ descriptor: Int32, reset: Bool) {
        if reset {
            var linger = linger(l_onoff: 1, l_linger: 0)
            // Safe: the kernel copies the structure during the call.
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        closeDescriptor(descriptor)
    }
}
