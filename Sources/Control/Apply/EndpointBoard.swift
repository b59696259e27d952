import DataPlane
import Settings
import System

/// Which endpoints are out of service, as the workers report it. Belongs to the control thread.
struct EndpointBoard {
    /// What a report changes for those who look from outside.
    enum Effect: Equatable {
        /// Other workers say the same.
        case nothing
        case out, back
    }

    private struct Place: Hashable {
        let listener: String
        let route: String
        let address: SocketAddress
    }

    /// Why it is out of service, by worker.
    private var out: [Place: [Int: String]] = [:]

    /// A worker took an endpoint out of service, or back.
    mutating func take(_ report: EndpointReport, worker: Int) -> Effect {
        let place = Place(listener: report.listener, route: report.route, address: report.address)
        switch report.change {
        case .ejected(let failures, _, let reason):
            let isNew = out[place] == nil
            out[place, default: [:]][worker] = "\(failures) failures, at last: \(reason)"
            return isNew ? .out : .nothing
        case .returned:
            guard out[place]?.removeValue(forKey: worker) != nil, out[place]?.isEmpty == true else { return .nothing }
            out[place] = nil
            return .back
        }
    }

    func isOut(_ check: EndpointCheckResult) -> Bool {
        out[Place(listener: check.listener, route: check.route, address: check.address)] != nil
    }

    /// The routes with their endpoints, for a reader.
    func text(_ state: DesiredState) -> String {
        var lines: [String] = []
        for route in routes(state) {
            lines.append(
                "listener \(route.listener), route \(route.name): \(route.endpoints.count) endpoints,"
                    + " \(route.outCount) out of service")
            for (endpoint, reasons) in route.endpoints.prefix(Self.linesARoute) {
                guard let reasons else {
                    lines.append("  \(endpoint): in service")
                    continue
                }
                let workers = reasons.keys.sorted()
                lines.append(
                    "  \(endpoint): out of service in worker \(workers.map(String.init).joined(separator: ", "))"
                        + " (\(reasons[workers[0]] ?? ""))")
            }
            if route.endpoints.count > Self.linesARoute { lines.append("  ...") }
        }
        return lines.joined(separator: "\n")
    }

    struct RouteStatus {
        let listener: String
        let name: String
        /// Those out of service first; with the reason by worker.
        let endpoints: [(endpoint: String, reasons: [Int: String]?)]

        var outCount: Int { endpoints.count { $0.reasons != nil } }
    }

    /// Every route with endpoints. An endpoint that is listed no more is in service nowhere.
    func routes(_ state: DesiredState) -> [RouteStatus] {
        state.settings.listeners.flatMap { listener in
            listener.routes.compactMap { route -> RouteStatus? in
                guard case .endpoints = route.upstream.target else { return nil }
                let all = route.upstream.endpoints(state.names).map { planned in
                    let place = Place(listener: listener.name, route: route.name, address: planned.address)
                    return (endpoint: planned.address.text, reasons: out[place])
                }
                return RouteStatus(
                    listener: listener.name, name: route.name,
                    endpoints: all.filter { $0.reasons != nil } + all.filter { $0.reasons == nil })
            }
        }
    }

    /// Forgets what is no longer listed: a worker does not report it any more.
    mutating func adopt(_ state: DesiredState) {
        guard !out.isEmpty else { return }
        var listed: Set<Place> = []
        for listener in state.settings.listeners {
            for route in listener.routes {
                for planned in route.upstream.endpoints(state.names) {
                    listed.insert(Place(listener: listener.name, route: route.name, address: planned.address))
                }
            }
        }
        out = out.filter { listed.contains($0.key) }
    }

    private static let linesARoute = 64
}
