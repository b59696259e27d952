public import System

/// Where connections that rules of the kernel brought here wanted to go.
extension EventLoop {
    /// Where the client of an accepted socket dialled, if a REDIRECT or DNAT rule sent it here; else our own address,
    /// or nil.
    ///
    /// - Parameter isIPv6: the family of the socket.
    public func originalDestination(of descriptor: Int32, isIPv6: Bool) -> SocketAddress? {
        switch backend {
        case .ioURing, .epoll: SocketAddress(beforeRedirectionOf: descriptor, isIPv6: isIPv6)
        case .simulated(let network):
            unsafe network._withUnsafeGuaranteedRef { $0.originalDestination(of: descriptor) }
        }
    }

    /// Whether packets to the address stay on this host.
    public func isOfThisHost(_ address: SocketAddress) -> Bool {
        switch backend {
        case .ioURing, .epoll: address.isOfThisHost
        case .simulated(let network): unsafe network._withUnsafeGuaranteedRef { $0.isOfThisHost(address) }
        }
    }

    /// The mark of a socket; 0 for none.
    public func mark(of descriptor: Int32) -> UInt32 {
        switch backend {
        case .ioURing, .epoll: Sockets.mark(of: descriptor)
        case .simulated: 0
        }
    }
}
