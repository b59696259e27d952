import DataPlane
import EventLoop
import Glibc
import Settings
import System

/// Which listener takes which inherited socket: the one of its name, else the one that binds its address.
///
/// What a listener takes is bound as the settings say: a socket unit cannot open to others what they keep for loopback
/// or for one user. Each socket must be for a listener, because nobody would answer its clients.
struct InheritedShares {
    private let shares: [[InheritedSocket]]

    /// The sockets of a listener, which count from 0.
    subscript(listener: Int) -> [InheritedSocket] { shares[listener] }

    init(
        dividing sockets: [InheritedSocket], among listeners: [ListenerSettings], _ sources: SourceMap, workers: Int
    ) throws(ProxyFault) {
        var shares = listeners.map { _ in [InheritedSocket]() }
        for socket in sockets {
            let index =
                listeners.firstIndex { $0.name == socket.name } ?? listeners.firstIndex { $0.bind.isMet(by: socket) }
            guard let index else {
                throw .bind(
                    SettingsFlaw(
                        .error, at: sources.listeners,
                        "the service manager listens on \(socket.address.text) (\"\(socket.name)\"), and no listener "
                            + "binds that or has that name: add one, or take it out of the socket unit"))
            }
            if let objection = Self.objection(to: socket, for: listeners[index]) {
                throw .bind(
                    SettingsFlaw(
                        .error, at: sources.bind(ofListener: index),
                        "cannot take the service manager's socket on \(socket.address.text) (listener "
                            + "\"\(listeners[index].name)\"): \(objection)"))
            }
            shares[index].append(socket)
        }
        for (index, share) in shares.enumerated() where share.count > workers {
            throw .bind(
                SettingsFlaw(
                    .error, at: sources.bind(ofListener: index),
                    "the service manager passes \(share.count) sockets for listener \"\(listeners[index].name)\", which "
                        + "are too many for \(workers) workers: name one ListenStream=, or raise `workers`"))
        }
        self.shares = shares
    }

    /// Why a socket is not what the settings ask for.
    private static func objection(to socket: InheritedSocket, for listener: ListenerSettings) -> String? {
        guard listener.bind.isMet(by: socket) else {
            return "the listener binds \(listener.bind): make ListenStream= and `bind` the same"
        }
        if socket.takesBothFamilies {
            return "it takes IPv4 clients too, whom no rule would know by their addresses: set BindIPv6Only=ipv6-only"
        }
        if listener.transparency == .tproxy, !socket.isTransparent {
            return "`transparent: tproxy` takes Transparent=yes in the socket unit"
        }
        guard case .unix(let address) = listener.bind, !address.isAbstract else { return nil }
        return objection(toFileAt: address.name, for: listener)
    }

    /// Whether more may connect to the file than the settings say.
    private static func objection(toFileAt path: String, for listener: ListenerSettings) -> String? {
        var status = stat()
        // Safe: the call fills the structure, and the path lives through it.
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            return "\(path) is not there any more: restart the socket unit"
        }
        let wanted = UnixSocketFile.Access(listener)
        let mode = status.st_mode & 0o777
        guard mode & ~wanted.mode == 0 else {
            return "its file has the permissions \(octal(mode)), and the settings allow \(octal(wanted.mode)): set "
                + "SocketMode=\(octal(wanted.mode))"
        }
        if let user = wanted.user, status.st_uid != user { return "its owner is not `socket.user`: set SocketUser=" }
        if let group = wanted.group, status.st_gid != group {
            return "its group is not `socket.group`: set SocketGroup="
        }
        return nil
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode, radix: 8) }
}

extension ListenAddress {
    /// Whether the socket is bound where a listener is to listen; port 0 stands for any.
    fileprivate func isMet(by socket: InheritedSocket) -> Bool {
        switch self {
        case .ip(let endpoint):
            let address = SocketAddress(endpoint)
            return address.isSameHost(as: socket.address)
                && (endpoint.port == 0 || endpoint.port == socket.address.port)
        case .unix(let address): return socket.address.unixName == address.name
        }
    }
}
