import CLibEvent
import DataPlane
import EventLoop
import Glibc
import Policy
package import Settings
import System

/// A bound, listening, non-blocking socket; closed by `deinit` unless handed over.
package final class AdminSocket {
    package let number: Int32
    /// Nil for a Unix socket.
    package let port: UInt16?
    /// Of a Unix socket; it is removed with its last owner.
    let file: UnixSocketFile?
    private var owner: OwnedDescriptor?

    /// `[::]`, which takes IPv4 too, stands for `0.0.0.0` where the kernel has no IPv6.
    package init(_ endpoint: Endpoint) throws(ControlFault) {
        var address = SocketAddress(endpoint)
        var number = socket(address.family, postern_nonblocking_stream_socket, 0)
        if number < 0, errno == EAFNOSUPPORT, endpoint.address == .v6(0, 0) {
            address = SocketAddress(Endpoint(address: .v4(0), port: endpoint.port))
            number = socket(address.family, postern_nonblocking_stream_socket, 0)
        }
        guard number >= 0 else { throw .system(what: "cannot make a socket for \(endpoint)", errno: errno) }
        let owner = OwnedDescriptor(number)
        let failure = Self.listen(number, on: address)
        guard failure == 0 else { throw .system(what: "cannot listen on \(endpoint)", errno: failure) }
        // A bound socket has an address.
        port = SocketAddress(.local, of: number)?.port ?? endpoint.port
        file = nil
        self.number = number
        self.owner = consume owner
    }

    init(_ settings: AdminSocketSettings) throws(ControlFault) {
        let what = "cannot listen on \(settings.address)"
        let access = UnixSocketFile.Access(
            mode: settings.access.mode ?? 0o600, user: settings.access.user, group: settings.access.group)
        do throws(EventLoopFault) {
            let group = try ListeningSocket.unixGroup(name: settings.address.name, access: access, count: 1)
            number = group.descriptors[0]
            file = group.file
        } catch {
            guard case .systemCall(_, let code) = error else { throw .system(what: what, errno: EINVAL) }
            throw .system(what: what, errno: code)
        }
        port = nil
        owner = OwnedDescriptor(number)
        guard fcntl(number, F_SETFL, O_NONBLOCK) == 0 else { throw .system(what: what, errno: errno) }
        do throws(UnixSocketFault) {
            try file?.place()
        } catch {
            throw .system(what: what, errno: error.errno)
        }
    }

    /// Why this process could not make the file of a Unix socket, checked without making it; nil if it could.
    static func obstacle(to settings: AdminSocketSettings) -> String? {
        let path = settings.address.name
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        // The C strings are valid for their calls, and `status` outlives the second one.
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            return "its folder must be there, and let the proxy's user write: \(systemMessage(errno))"
        }
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFSOCK else { return nil }
        return "there is something else, which is no socket: take it away, or name another path"
    }

    /// Passes ownership of the descriptor to the caller.
    package func handOver() { _ = owner.take()?.release() }

    /// Zero, or the errno of the failed call.
    private static func listen(_ number: Int32, on address: SocketAddress) -> Int32 {
        var yes: Int32 = 1
        // `yes` has the size passed, and outlives the call.
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0 else { return errno }
        let bound = address.bind(number)
        guard bound == 0 else { return 0 - bound }
        return Glibc.listen(number, 1_024) == 0 ? 0 : errno
    }
}
