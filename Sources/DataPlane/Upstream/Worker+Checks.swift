import Balancing
import EventLoop
public import System

/// The result of a check of an endpoint, which the control thread makes for all workers.
public struct EndpointCheckResult: Hashable, Sendable {
    public let listener: String
    public let route: String
    public let address: SocketAddress
    /// Nil if it passed.
    public let failure: String?

    public init(listener: String, route: String, address: SocketAddress, failure: String?) {
        self.listener = listener
        self.route = route
        self.address = address
        self.failure = failure
    }
}

extension Worker {
    /// Counts a check for or against its endpoint, if that is still listed.
    mutating func take(_ check: EndpointCheckResult) {
        let listener = listeners.firstIndex { $0.service != .removed && $0.plan.name == check.listener }
        guard let listener, let place = listeners[listener].endpoints.firstIndex(where: { $0.name == check.route }),
            let id = listeners[listener].endpoints[place].id(of: check.address)
        else { return }
        let now = loop.now
        let news = listeners[listener].endpoints[place].update {
            $0.checked(id, passed: check.failure == nil, now: now)
        }
        if !listeners[listener].endpoints[place].waiting.isEmpty { hasRoomAtEndpoints = true }
        report(news, of: listeners[listener].endpoints[place], listener, check.failure ?? "")
    }
}
