import EventLoop
import Policy
import Settings
import TLS

/// A worker's own part of one listener.
struct ListenerState {
    let plan: ListenerPlan
    let descriptor: Int32
    /// The bound address, with the port that the kernel chose where 0 was asked for.
    let address: SocketAddress
    /// Inbound one context; outbound one a route.
    let contexts: [TLSContext]
    /// The next endpoint to start with, a route: connections take them in turn.
    var nextEndpoint: [Int]
    /// An accept is armed.
    var isAccepting = false
    /// An accept failed, most likely for want of a descriptor; it is armed again when one may be there.
    var isPaused = false
    var isClosed = false

    init(
        _ plan: ListenerPlan, descriptor: Int32, address: SocketAddress, _ proxy: ProxyPlan,
        clock: @escaping () -> Int64
    ) throws(TLSFault) {
        self.plan = plan
        self.descriptor = descriptor
        self.address = address
        nextEndpoint = Array(repeating: 0, count: plan.routes.count)
        switch plan.mode {
        case .inbound:
            contexts = [
                try TLSContext(
                    accepting: proxy.material, options: proxy.tls, applicationProtocols: plan.applicationProtocols,
                    clock: clock)
            ]
        case .outbound:
            var contexts: [TLSContext] = []
            for route in plan.routes {
                let identities = route.upstream.identities
                contexts.append(
                    try TLSContext(
                        dialling: proxy.material, options: proxy.tls,
                        applicationProtocols: route.upstream.applicationProtocols,
                        serverName: route.upstream.serverName,
                        acceptPeer: { id in identities.contains { $0.matches(id) } }, clock: clock))
            }
            self.contexts = contexts
        }
    }
}
