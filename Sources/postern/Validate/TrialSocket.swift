import Glibc
import Redirection
import System

/// A socket that dials as a program does, or as the proxy will.
struct TrialSocket: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// - Parameter exempt: how the rules know the proxy.
    init(_ caller: ValidationLeg.Caller, isIPv6: Bool, exempt: [RedirectionPlan.Exemption]) throws(TrialFault) {
        let users = exempt.compactMap { if case .user(let user) = $0 { user } else { nil } }
        let family = isIPv6 ? AF_INET6 : AF_INET
        let user: UInt32? =
            switch caller {
            // Not the proxy's user; else whoever this process is.
            case .program: users.contains(geteuid()) ? Self.nobody.first { !users.contains($0) } : nil
            case .proxy(.user(let user)): user == geteuid() ? nil : user
            case .proxy(.mark): nil
            }
        let made = try Self.socket(family, as: user)
        if case .proxy(.mark(let mark)) = caller {
            let result = setMark(mark, of: made.number)
            guard result == 0 else {
                throw TrialFault(
                    "a mark cannot be set here: \(systemMessage(0 - result)); it takes CAP_NET_ADMIN")
            }
        }
        // What leaves this host ends at its first router.
        var hops: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // `hops` has the size passed, and outlives the call.
        _ =
            unsafe isIPv6
            ? setsockopt(made.number, Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS, &hops, size)
            : setsockopt(made.number, Int32(IPPROTO_IP), IP_TTL, &hops, size)
        descriptor = made
    }

    /// Begins to connect: zero, or the errno of a connect that has failed at once.
    func connect(to address: SocketAddress) -> Int32 {
        let result = 0 - address.connect(descriptor.number)
        return result == EINPROGRESS ? 0 : result
    }

    /// From which it dials; nil before that.
    var localPort: UInt16? {
        guard let port = SocketAddress(.local, of: descriptor.number)?.port, port != 0 else { return nil }
        return port
    }

    /// The errno with which a connect has failed; zero while it has not.
    var pendingError: Int32 {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        return unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &status, &size) == 0 ? status : errno
    }

    /// This host's address towards another; nil without a route. Nothing is sent.
    static func localAddress(towards address: SocketAddress) -> SocketAddress? {
        let descriptor = OwnedDescriptor(
            Glibc.socket(address.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard descriptor.number >= 0, address.connect(descriptor.number) == 0 else { return nil }
        return SocketAddress(.local, of: descriptor.number)
    }

    /// The rules see the user that has made a socket.
    ///
    /// - Parameter user: nil: this process's.
    private static func socket(_ family: Int32, as user: UInt32?) throws(TrialFault) -> OwnedDescriptor {
        let own = geteuid()
        if let user, seteuid(user) != 0 {
            throw TrialFault(
                "this runs as user \(own), and cannot be user \(user): run it as root with CAP_SETUID, or once as each")
        }
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(family, flags, 0)
        let code = errno
        if user != nil, seteuid(own) != 0 { preconditionFailure("a process may become again who it was") }
        guard number >= 0 else { throw TrialFault("cannot make a socket: \(systemMessage(code))") }
        return OwnedDescriptor(number)
    }

    /// Users whose programs are nobody's in particular.
    private static let nobody: [UInt32] = [65_534, 65_533]
}
