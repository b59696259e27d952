import DataPlane
import Logging
import Settings
import Telemetry

/// What the proxy says of its endpoints.
extension Proxy {
    /// Logs an endpoint's change of service, once for all workers.
    func take(_ report: EndpointReport, worker: Int) {
        let effect = endpointBoard.take(report, worker: worker)
        guard effect != .nothing else { return }
        var metadata: Logger.Metadata = [
            "listener": "\(report.listener)", "route": "\(report.route)", "endpoint": "\(report.address.text)",
        ]
        switch report.change {
        case .ejected(let failures, let nanoseconds, let reason):
            metadata["failures"] = .stringConvertible(failures)
            metadata["seconds"] = .stringConvertible(nanoseconds / 1_000_000_000)
            metadata["reason"] = "\(reason)"
            logger.warning("endpoint is out of service", metadata: metadata)
        case .returned: logger.notice("endpoint is back in service", metadata: metadata)
        }
    }

    /// What follows the state in `/readyz?verbose`.
    var endpointText: String { endpointBoard.text(installer.state) }

    func addEndpointMetrics(to text: inout PrometheusText) {
        let statuses = endpointBoard.routes(installer.state)
        let samples = { (count: (EndpointBoard.RouteStatus) -> Int) in
            statuses.map { (labels: [$0.listener, $0.name], value: UInt64(count($0))) }
        }
        text.write(ProxyMetrics.endpoints, samples { $0.endpoints.count })
        text.write(ProxyMetrics.endpointsEjected, samples { $0.outCount })
        let dials = workers.map(\.status.dials)
        let sum = { (outcome: String, count: (DialCounts) -> UInt64) in
            (labels: [outcome], value: dials.reduce(0) { $0 + count($1) })
        }
        text.write(
            ProxyMetrics.dials,
            [
                sum("connected") { $0.connected }, sum("failed") { $0.failed }, sum("timeout") { $0.timedOut },
                sum("handshake-failed") { $0.handshakeFailed }, sum("overtaken") { $0.overtaken },
            ])
    }
}
