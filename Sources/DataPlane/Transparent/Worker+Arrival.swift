import EventLoop
import Settings
import System

/// Where a connection of a transparent listener wanted to go, or why it is refused.
enum Arrival {
    case wants(SocketAddress)
    case refused(CloseReason, SocketAddress?, String)
}

extension Worker {
    /// Finds out where the client of an accepted socket wanted to go, and refuses what would lead back to this proxy.
    ///
    /// - Parameter bound: the address of the listener's socket.
    mutating func arrival(
        of descriptor: Int32, from source: SocketAddress, at bound: SocketAddress, _ plan: ListenerPlan
    ) -> Arrival {
        guard let destination = destination(of: descriptor, at: bound, plan), destination.port != 0,
            !destination.isWildcard
        else { return refuseLoop(nil, "it was not redirected: no rule of the firewall knows where it was to go") }
        let mode = plan.mode == .inbound ? ConnectionMachine.Mode.inbound : .outbound
        if mode == .outbound, mark != 0, loop.mark(of: descriptor) == mark {
            return refuseLoop(destination, "a connection with this proxy's own mark was redirected to it")
        }
        noteDials()
        if ownSockets.contains(from: source, to: destination, at: mode) {
            return refuseLoop(destination, Self.ownConnection)
        }
        if isOurs(destination) {
            return refuseLoop(destination, "\(destination.endpoint) is an address of this proxy itself")
        }
        if mode == .inbound {
            // Where a route with `original` would dial.
            let application = destination.onLoopback
            guard !plan.hasOriginal || !isOurs(application) else {
                return refuseLoop(destination, "\(application.endpoint) is an address of this proxy itself")
            }
        } else if let detail = objection(to: source, destination, plan) {
            return .refused(.remoteCaller, destination, detail)
        }
        return .wants(destination)
    }

    /// Whether a dial to the address would reach a listener or the admin endpoint of this proxy.
    func isOurs(_ address: SocketAddress) -> Bool {
        for acceptor in acceptors where !acceptor.isClosed && reaches(address, acceptor.address) { return true }
        return ownSockets.adminAddress.map { reaches(address, $0) } ?? false
    }

    /// Whether an endpoint leads back to this proxy: to the listener that dials it, which would go on without end, or,
    /// where DNS says what its address is, to where whoever answers could let peers use this proxy's identity or its
    /// admin endpoint. An outbound listener may dial an inbound one, which asks for a certificate.
    func leadsBack(_ address: SocketAddress, from listener: Int, isNamed: Bool) -> Bool {
        let isOutbound = listeners[listener].plan.mode == .outbound
        for acceptor in acceptors where !acceptor.isClosed && reaches(address, acceptor.address) {
            let leadsOut = listeners[acceptor.listener].plan.mode == .outbound
            return acceptor.listener == listener || isNamed && (!isOutbound || leadsOut)
        }
        return isNamed && ownSockets.adminAddress.map { reaches(address, $0) } ?? false
    }

    /// Ends a connection that leads back to this proxy.
    mutating func endLoop(_ slot: Int32, _ detail: String) -> ConnectionMachine.Course {
        loops += 1
        connections[slot].detail = detail
        return connections[slot].machine.end(.loop, lingering: true)
    }

    static var ownConnection: String { "a connection of this proxy was redirected to it: exempt its mark or its user" }

    // MARK: Private

    private func destination(of descriptor: Int32, at bound: SocketAddress, _ plan: ListenerPlan) -> SocketAddress? {
        switch plan.transparency {
        case .off: nil
        case .redirect: loop.originalDestination(of: descriptor, isIPv6: bound.isIPv6)
        case .tproxy: loop.localAddress(of: descriptor)
        }
    }

    private mutating func refuseLoop(_ destination: SocketAddress?, _ detail: String) -> Arrival {
        loops += 1
        return .refused(.loop, destination, detail)
    }

    /// Who reaches an outbound listener uses this proxy's SVID. A TPROXY rule brings callers of other hosts even to a
    /// listener on loopback; and nobody beyond this host has business with its loopback addresses.
    private func objection(to source: SocketAddress, _ destination: SocketAddress, _ plan: ListenerPlan) -> String? {
        let isLocal = source.isLoopback
        if plan.transparency == .tproxy, !plan.allowsRemoteCallers, !isLocal, !loop.isOfThisHost(source) {
            return "the caller is on another host, and allowRemoteCallers is not set"
        }
        guard destination.isLoopback, !isLocal, !loop.isOfThisHost(source) else { return nil }
        return "the caller is on another host, and wants to go to a loopback address of this one"
    }

    /// Whether a dial to `address` ends at a socket that is bound to `bound`.
    private func reaches(_ address: SocketAddress, _ bound: SocketAddress) -> Bool {
        guard address.port == bound.port, address.isUnix == bound.isUnix else { return false }
        guard !address.isUnix else { return address == bound }
        // An admin endpoint on [::] accepts IPv4 too.
        return bound.isWildcard ? loop.isOfThisHost(address) : address.isSameHost(as: bound)
    }
}

extension ListenerPlan {
    /// Whether a route leads to where the client wanted to go.
    var hasOriginal: Bool { routes.contains(where: \.isOriginal) }

    /// The route of a connection whose client sends plaintext.
    func route(of connection: borrowing Connection) -> Int? {
        route(
            serverName: nil, applicationProtocol: nil, destinationPort: connection.destinationPort,
            destination: connection.destination?.endpoint.address)
    }
}
