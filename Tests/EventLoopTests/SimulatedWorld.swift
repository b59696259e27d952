import EventLoop
import System

/// A simulated network, seen from outside.
final class SimulatedWorld: OutsideWorld {
    let network: SimulatedNetwork
    private var nextPort: UInt16 = 100

    init(_ network: SimulatedNetwork) {
        self.network = network
    }

    func listen(isIPv6: Bool, backlog: Int32) throws -> (descriptor: Int32, address: SocketAddress) {
        let address = nextAddress(isIPv6)
        return (network.listen(on: address), address)
    }

    func dial(_ address: SocketAddress) throws -> any OutsidePeer {
        SimulatedPeer(network.connectPeer(to: address, from: nextAddress(address.isIPv6)))
    }

    func serve(isIPv6: Bool) throws -> any OutsideServer {
        SimulatedServer(network.backend(at: nextAddress(isIPv6)))
    }

    func deadAddress() throws -> SocketAddress { nextAddress(false) }

    func hangingAddress() throws -> SocketAddress {
        let backend = network.backend(at: nextAddress(false))
        backend.behaviour = .hangs
        return backend.address
    }

    private func nextAddress(_ isIPv6: Bool) -> SocketAddress {
        nextPort += 1
        return isIPv6 ? SocketAddress(v6: 0, 1, port: nextPort) : SocketAddress(v4: 0x7F00_0001, port: nextPort)
    }
}

final class SimulatedServer: OutsideServer {
    private let backend: SimulatedBackend

    init(_ backend: SimulatedBackend) {
        self.backend = backend
    }

    var address: SocketAddress { backend.address }

    func take() -> (any OutsidePeer)? { backend.takeConnection().map(SimulatedPeer.init) }
}

final class SimulatedPeer: OutsidePeer {
    private let socket: PeerSocket

    init(_ socket: PeerSocket) {
        self.socket = socket
    }

    var isFinished: Bool { socket.isFinished }
    var wasReset: Bool { socket.wasReset }
    var localAddress: SocketAddress? { socket.localAddress }

    func write(_ bytes: [UInt8]) -> Int { socket.write(bytes) }
    func read(_ limit: Int) -> [UInt8] { socket.read(limit) }
    func shutdownWrite() { socket.shutdownWrite() }
    func reset() { socket.reset() }
    func close() { socket.close() }
}
