import DataPlane
import EventLoop
import Glibc
import System

/// A socket that listens where a transparent listener of the proxy will.
final class TrialDoor {
    /// A connection that came.
    struct Arrival: Equatable {
        let port: UInt16
        /// Where its caller wanted to go.
        let destination: SocketAddress?
    }

    private let descriptor: OwnedDescriptor
    private let address: SocketAddress
    private let isTransparent: Bool
    /// By the caller's port: those that were accepted.
    private var arrivals: [UInt16: Arrival] = [:]

    init(_ address: SocketAddress, isTransparent: Bool) throws(TrialFault) {
        self.address = address
        self.isTransparent = isTransparent
        do throws(EventLoopFault) {
            let group = try ListeningSocket.group(address: address, count: 1, transparent: isTransparent)
            descriptor = OwnedDescriptor(group.descriptors[0])
        } catch {
            guard case .systemCall(_, let code) = error else {
                throw TrialFault("cannot listen on \(address.text): \(error)")
            }
            let remedy =
                switch code {
                case EADDRINUSE: ": run this before the proxy, or whatever else listens there"
                case EPERM: ": tproxy takes CAP_NET_ADMIN"
                default: ""
                }
            throw TrialFault("cannot listen on \(address.text): \(systemMessage(code))\(remedy)")
        }
        _ = fcntl(descriptor.number, F_SETFL, O_NONBLOCK)
    }

    /// The connection that comes from a port, if it is there.
    func arrival(from port: UInt16) -> Arrival? {
        while true {
            // No address is asked for.
            let number = accept(descriptor.number, nil, nil)
            guard number >= 0 else { return arrivals[port] }
            let accepted = OwnedDescriptor(number)
            guard let caller = SocketAddress(.peer, of: accepted.number) else { continue }
            let destination =
                isTransparent
                ? SocketAddress(.local, of: accepted.number)
                : SocketAddress(beforeRedirectionOf: accepted.number, isIPv6: address.isIPv6)
            arrivals[caller.port] = Arrival(port: address.port, destination: destination)
        }
    }

    /// Waits until a connection may be there.
    static func wait(for doors: [TrialDoor], milliseconds: Int32) {
        var entries = doors.map { pollfd(fd: $0.descriptor.number, events: Int16(POLLIN), revents: 0) }
        // As many entries as are said, which outlive the call.
        _ = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
    }
}
