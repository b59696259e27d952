import EventLoop
import Identity
import Policy
import ProxyProtocol
import SVID
import Settings
import System
import TLS

extension Worker {
    /// Puts what the route wants said to the application in front of the peer's first byte.
    ///
    /// It stands in the queue of the socket that is being connected, and so goes to whichever endpoint answers.
    mutating func queuePreface(_ slot: Int32) -> ConnectionMachine.Course {
        guard let route = connections[slot].route,
            connections[slot].plan.routes[route].upstream.sendProxyProtocol != nil
        else { return .goesOn }
        guard let header = proxyHeader(slot) else { return connections[slot].machine.end(.peerReset) }
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        let bytes = header.bytes()
        // Safe: a header is at most `ProxyHeader.bytesAtMost`, far less than a buffer.
        let memory = unsafe pool.memory(buffer)
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        enqueue(buffer, bytes.count, slot, .application)
        connections[slot].prefaceBytes = UInt64(bytes.count)
        return .goesOn
    }

    /// Nil where the peer's socket has no address any more: it is broken.
    private func proxyHeader(_ slot: Int32) -> ProxyHeader? {
        let wanted = connections[slot].claimedDestination ?? connections[slot].destination
        let local = wanted ?? loop.localAddress(of: connections[slot][.peer].descriptor)
        guard let local else { return nil }
        var values: [TypedValue] = [.uniqueID(connections[slot].idText)]
        if let peer = connections[slot].peer { values.insert(.identity(peer.id.description), at: 0) }
        if connections[slot].machine.isPlain { values.append(.plaintext) }
        if let name = connections[slot].serverName ?? connections[slot].passedName { values.append(.serverName(name)) }
        if let name = connections[slot].applicationProtocol { values.append(.applicationProtocol(name)) }
        let version = connections[slot].withSession { $0.version.rawValue }
        let cipher = connections[slot].withSession { $0.cipher }
        if let version, let cipher { values.append(.tls(version: "TLSv\(version)", cipher: cipher)) }
        return ProxyHeader(
            source: ProxyHeader.End(connections[slot].source), destination: ProxyHeader.End(local), values: values)
    }
}

extension ProxyHeader.End {
    init(_ address: SocketAddress) {
        let endpoint = address.endpoint
        self.init(address: endpoint.address, port: endpoint.port)
    }
}
