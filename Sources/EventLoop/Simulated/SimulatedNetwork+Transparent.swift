public import System

/// A simulated firewall that redirects.
extension SimulatedNetwork {
    /// Dials `wanted`; a rule sends the connection to the proxy at `address` instead.
    public func connectPeer(
        to address: SocketAddress, from: SocketAddress, redirectedFrom wanted: SocketAddress
    ) -> PeerSocket {
        redirections[from] = wanted
        return connectPeer(to: address, from: from)
    }

    func originalDestination(of descriptor: Int32) -> SocketAddress? {
        address(of: descriptor, .peer).flatMap { redirections[$0] } ?? address(of: descriptor, .local)
    }

    func isOfThisHost(_ address: SocketAddress) -> Bool {
        address.isLoopback || address.isWildcard || ownHosts.contains { $0.isSameHost(as: address) }
    }
}
