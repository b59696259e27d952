import DataPlane
import Policy
import Settings
import System

extension Settings {
    /// The address that the proxy itself listens on, where a connection to `destination` would lead back to it; as far
    /// as the settings show it: what addresses the host has they do not say.
    func ownAddress(reachedBy destination: Endpoint?, of listener: ListenerSettings) -> Endpoint? {
        guard let destination, destination.port != 0 else { return nil }
        var targets = [destination]
        let isOriginal = listener.routes.contains { $0.upstream.target == .original }
        if listener.mode == .inbound, isOriginal { targets.append(SocketAddress(destination).onLoopback.endpoint) }
        let own = listeners.compactMap(\.bind.endpoint) + (admin?.bind.map { [$0] } ?? [])
        return own.first { bind in
            targets.contains { target in
                let isWildcard = SocketAddress(bind).isWildcard
                return target.port == bind.port
                    && (isWildcard ? target.address.isLoopback : target.address == bind.address)
            }
        }
    }
}
