public import Policy
import Settings

extension ListenerPlan {
    /// The index of the first route whose named conditions all hold; nil if none does.
    ///
    /// - Parameter destination: where the client wanted to go, on a transparent listener.
    public func route(
        serverName: String?, applicationProtocol: String?, destinationPort: UInt16, destination: IPAddress?
    ) -> Int? {
        routes.firstIndex { route in
            let match = route.match
            if !match.serverNames.isEmpty {
                guard let serverName, match.serverNames.contains(where: { $0.matches(serverName) }) else {
                    return false
                }
            }
            if !match.applicationProtocols.isEmpty {
                guard let applicationProtocol, match.applicationProtocols.contains(applicationProtocol) else {
                    return false
                }
            }
            guard route.matches(destination: destination) else { return false }
            return match.destinationPorts.isEmpty || match.destinationPorts.contains { $0.contains(destinationPort) }
        }
    }
}
