import CLibURing
import Glibc
public import System

/// A listening socket that the service manager has bound, as the kernel describes it.
public struct InheritedSocket: Sendable {
    public let descriptor: Int32
    public let name: String
    public let address: SocketAddress
    /// IP_TRANSPARENT.
    public let isTransparent: Bool
    /// An IPv6 socket that IPv4 clients reach too, with addresses that no rule for IPv4 would match.
    public let takesBothFamilies: Bool

    /// Looks at a descriptor. It stays open whatever comes out.
    public init(_ entry: InheritedDescriptors.Entry) throws(InheritedSocketFlaw) {
        let number = entry.number
        guard Sockets.option(number, SOL_SOCKET, SO_ACCEPTCONN) == 1,
            Sockets.option(number, SOL_SOCKET, SO_TYPE) == Int32(SOCK_STREAM.rawValue),
            let address = SocketAddress(.local, of: number)
        else { throw .notListening(name: entry.name, number) }
        // A stream of another protocol, such as MPTCP or SCTP, would come without what is set below.
        let protocolNumber = Sockets.option(number, SOL_SOCKET, SO_PROTOCOL)
        guard address.isUnix || protocolNumber == Int32(IPPROTO_TCP) else {
            throw .notListening(name: entry.name, number)
        }
        descriptor = number
        name = entry.name
        self.address = address
        if address.isIPv6 {
            isTransparent = Sockets.option(number, Int32(IPPROTO_IPV6), IPV6_TRANSPARENT) == 1
            takesBothFamilies = address.isWildcard && Sockets.option(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY) != 1
        } else {
            isTransparent = !address.isUnix && Sockets.option(number, Int32(IPPROTO_IP), IP_TRANSPARENT) == 1
            takesBothFamilies = false
        }
    }
}

/// Why an inherited descriptor is of no use.
public enum InheritedSocketFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case notListening(name: String, Int32)

    public var description: String {
        switch self {
        case .notListening(let name, let number):
            "the service manager passes \"\(name)\" as descriptor \(number), which is no listening TCP or Unix stream"
                + " socket: use ListenStream= and Accept=no"
        }
    }
}

extension ListeningSocket {
    /// A descriptor for each worker of inherited sockets that are bound to one address. Where there are fewer sockets
    /// than workers, several workers take connections from one.
    ///
    /// - Parameter sockets: at least one, and not more than `count`. They are handed over.
    public static func group(inheriting sockets: [InheritedSocket], count: Int) throws(EventLoopFault) -> [Int32] {
        precondition(!sockets.isEmpty && sockets.count <= count, "an inherited socket that nobody accepts on")
        for socket in sockets {
            if !socket.address.isUnix { Sockets.tune(socket.descriptor, socket.address) }
            // The flag is the socket's, whoever has set it: io_uring waits for a blocking one, epoll sets it again.
            let flags = fcntl(socket.descriptor, F_GETFL)
            _ = fcntl(socket.descriptor, F_SETFL, flags & ~O_NONBLOCK)
        }
        let originals = sockets.map(\.descriptor)
        return originals + (try duplicates(of: originals, count: count - originals.count))
    }

    /// `count` further descriptors of the sockets, of one after the other.
    static func duplicates(of originals: [Int32], count: Int) throws(EventLoopFault) -> [Int32] {
        var descriptors: [Int32] = []
        for index in 0..<count {
            let copy = systemCall { Int(fcntl(originals[index % originals.count], F_DUPFD_CLOEXEC, 0)) }
            guard copy >= 0 else {
                for descriptor in descriptors { Sockets.close(descriptor, reset: false) }
                throw .systemCall("fcntl", errno: Int32(0 - copy))
            }
            descriptors.append(Int32(copy))
        }
        return descriptors
    }
}
