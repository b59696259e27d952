import Glibc

extension OwnedDescriptor {
    /// A blocking connection to the first address of a host that accepts one, within the deadline. Never call it on a
    /// thread that must not wait.
    ///
    /// - Parameters:
    ///   - mark: of the socket; 0 for none.
    ///   - deadline: monotonic milliseconds; covers name resolution, and each address has five seconds of it.
    public static func connected(
        to host: String, port: UInt16, mark: UInt32 = 0, until deadline: Int64
    ) throws(ConnectFault) -> OwnedDescriptor {
        let addresses: [SocketAddress]
        do throws(ResolverFault) {
            let patience = Int32(clamping: deadline - MonotonicClock.milliseconds())
            addresses = try SocketAddress.resolve(host, port: port, withinMilliseconds: patience)
        } catch {
            throw ConnectFault(description: "\(host): \(error)")
        }
        var reason = "no address"
        for address in addresses where MonotonicClock.milliseconds() < deadline {
            let number = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else {
                reason = systemMessage(errno)
                continue
            }
            let owned = OwnedDescriptor(number)
            let marked = mark == 0 ? 0 : setMark(mark, of: number)
            guard marked == 0 else {
                reason = systemMessage(0 - marked)
                continue
            }
            limitTime(number)
            let result = address.connect(number)
            if result == 0 { return owned }
            reason = systemMessage(0 - result)
        }
        throw ConnectFault(description: "cannot connect to \(host):\(port): \(reason)")
    }

    /// Notices within a minute and a half that the other side is gone, on a connection that is often silent.
    public static func keepAlive(_ number: Int32) {
        let options: [(level: Int32, name: Int32, value: Int32)] = [
            (SOL_SOCKET, SO_KEEPALIVE, 1), (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30),
            (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15), (Int32(IPPROTO_TCP), TCP_KEEPCNT, 4),
        ]
        for option in options {
            var value = option.value
            // The kernel copies four bytes, the size passed.
            _ = unsafe setsockopt(number, option.level, option.name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private static func limitTime(_ number: Int32) {
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            // `limit` has the size passed, and outlives the calls.
            unsafe setsockopt(number, SOL_SOCKET, option, &limit, size)
        }
    }
}

/// Why no connection to a host was made, as text.
public struct ConnectFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}
