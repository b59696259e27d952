import CLibEvent
import DataPlane
import Glibc
import Settings
import System

/// A bound and listening TCP socket, non-blocking, closed with the value unless it was handed over.
final class AdminSocket {
    let number: Int32
    let port: UInt16
    private var owner: OwnedDescriptor?

    init(_ endpoint: Endpoint) throws(ControlFault) {
        let address = SocketAddress(endpoint)
        let number = socket(address.family, postern_nonblocking_stream_socket, 0)
        guard number >= 0 else { throw .system(what: "cannot make a socket for \(endpoint)", errno: errno) }
        let owner = OwnedDescriptor(number)
        let failure = Self.listen(number, on: address)
        guard failure == 0 else { throw .system(what: "cannot listen on \(endpoint)", errno: failure) }
        // What is bound has an address.
        port = SocketAddress(.local, of: number)?.port ?? endpoint.port
        self.number = number
        self.owner = consume owner
    }

    /// Leaves the closing to the one who took the number.
    func handOver() { _ = owner.take()?.release() }

    /// Zero, or why the socket cannot listen.
    private static func listen(_ number: Int32, on address: SocketAddress) -> Int32 {
        var yes: Int32 = 1
        // `yes` is as long as is said, and outlives the call.
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0 else { return errno }
        let bound = address.bind(number)
        guard bound == 0 else { return 0 - bound }
        return Glibc.listen(number, 1_024) == 0 ? 0 : errno
    }
}
