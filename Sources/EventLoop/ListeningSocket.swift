import CLibURing
import Glibc
public import System

/// A bound, listening socket. It closes with its owner, or is handed to a worker with ``release()``.
public struct ListeningSocket: ~Copyable {
    private let owner: OwnedDescriptor
    /// The address that is bound, with the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    public var descriptor: Int32 { owner.number }

    /// Binds and listens.
    ///
    /// - Parameter shared: true if several workers bind the same address (SO_REUSEPORT). The first of them must
    ///   bind unshared to see a port that another program holds; see
    ///   ``ListeningSocket/group(address:count:transparent:)``.
    /// - Parameter transparent: true if it accepts connections to any address that a TPROXY rule assigns to it
    ///   (IP_TRANSPARENT, which takes CAP_NET_ADMIN).
    init(
        address: SocketAddress, shared: Bool, listens: Bool = true, transparent: Bool = false
    ) throws(EventLoopFault) {
        let number = Sockets.open(for: address, nonBlocking: false)
        guard number >= 0 else { throw .systemCall("socket", errno: 0 - number) }
        let owner = OwnedDescriptor(number)
        Sockets.setOption(number, SOL_SOCKET, SO_REUSEADDR, 1)
        if shared { Sockets.setOption(number, SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.isIPv6 { Sockets.setOption(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        if transparent {
            let result = Sockets.makeTransparent(number, isIPv6: address.isIPv6)
            guard result == 0 else { throw .systemCall("setsockopt(IP_TRANSPARENT)", errno: 0 - result) }
        }
        let bound = address.bind(number)
        guard bound == 0 else { throw .systemCall("bind", errno: 0 - bound) }
        if listens {
            let listening = systemCall { Int(listen(number, Self.backlog)) }
            guard listening == 0 else { throw .systemCall("listen", errno: Int32(0 - listening)) }
        }
        guard let actual = SocketAddress(.local, of: number) else {
            throw .systemCall("getsockname", errno: ENOTSOCK)
        }
        self.owner = owner
        self.address = actual
    }

    /// Hands the descriptor over; the caller closes it.
    public consuming func release() -> Int32 { owner.release() }

    /// Binds `count` sockets to one address, one per worker, and returns their descriptors and the bound address.
    ///
    /// Fails with EADDRINUSE where anything else holds the port, another Postern included.
    public static func group(
        address: SocketAddress, count: Int, transparent: Bool = false
    ) throws(EventLoopFault) -> (descriptors: [Int32], address: SocketAddress) {
        guard count > 1 else {
            let only = try ListeningSocket(address: address, shared: false, transparent: transparent)
            let bound = only.address
            return ([only.release()], bound)
        }
        // SO_REUSEPORT would share the port with another program of the same user: bind exclusively first.
        let probe = try ListeningSocket(address: address, shared: false, listens: false, transparent: transparent)
        var bound = probe.address
        _ = consume probe
        var descriptors: [Int32] = []
        do throws(EventLoopFault) {
            for _ in 0..<count {
                let next = try ListeningSocket(address: bound, shared: true, transparent: transparent)
                bound = next.address
                descriptors.append(next.release())
            }
        } catch {
            for descriptor in descriptors { Sockets.close(descriptor, reset: false) }
            throw error
        }
        return (descriptors, bound)
    }

    /// Binds a Unix socket, and returns a descriptor of it for each worker: they take connections in turn.
    ///
    /// - Parameter access: who may connect; of no meaning in the abstract namespace.
    /// - Returns: the file, which is to be placed, and is removed with its owner; nil in the abstract namespace.
    public static func unixGroup(
        name: String, access: UnixSocketFile.Access, after predecessor: UnixSocketFile? = nil, count: Int
    ) throws(EventLoopFault) -> (descriptors: [Int32], file: UnixSocketFile?) {
        let address = SocketAddress(unix: name)
        let number = Sockets.open(for: address, nonBlocking: false)
        guard number >= 0 else { throw .systemCall("socket", errno: 0 - number) }
        let owner = OwnedDescriptor(number)
        var file: UnixSocketFile?
        if name.hasPrefix("@") {
            let bound = address.bind(number)
            guard bound == 0 else { throw .systemCall("bind", errno: 0 - bound) }
            let listening = systemCall { Int(listen(number, Self.backlog)) }
            guard listening == 0 else { throw .systemCall("listen", errno: Int32(0 - listening)) }
        } else {
            do throws(UnixSocketFault) {
                file = try UnixSocketFile(
                    binding: number, at: name, access, after: predecessor, backlog: Self.backlog)
            } catch {
                throw .systemCall("bind", errno: error.errno)
            }
        }
        let copies = try duplicates(of: [number], count: max(count, 1) - 1)
        return (copies + [owner.release()], file)
    }

    /// The kernel caps it at net.core.somaxconn.
    private static let backlog: Int32 = 4096
}
