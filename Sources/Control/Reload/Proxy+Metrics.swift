import DataPlane
import Identity
import Settings
import SVID
import System
import TLS
import Telemetry

extension Proxy {
    /// The response to `/metrics`.
    func writeMetrics(to text: inout PrometheusText) {
        typealias Metrics = ProxyMetrics
        addConnectionMetrics(to: &text)
        addEndpointMetrics(to: &text)
        if let notAfter { text.write(Metrics.svidExpiry, notAfter) }
        text.write(
            Metrics.bundleExpiry,
            (installer.state.material?.trustBundles ?? []).compactMap { bundle in
                bundle.notAfter.map { (labels: [bundle.trustDomain.name], value: UInt64(clamping: $0)) }
            })
        if let revocationEnd { text.write(Metrics.crlExpiry, revocationEnd) }
        text.write(Metrics.reloads, figures.reloads)
        text.write(Metrics.settingsFailures, figures.settingsFailures)
        text.write(Metrics.identityFailures, figures.identityFailures)
        text.write(Metrics.settingsSound, figures.settingsAreSound ? 1 : 0)
        text.write(Metrics.identitySound, figures.identityIsSound ? 1 : 0)
        text.write(Metrics.logDropped, accessLog?.droppedCount ?? 0)
        text.write(
            Metrics.build,
            eventLoops.sorted().map { (labels: [version, TLSLibrary.version, $0], value: UInt64(1)) })
        addProcessMetrics(to: &text)
    }

    private func addConnectionMetrics(to text: inout PrometheusText) {
        typealias Metrics = ProxyMetrics
        var totals = ConnectionTotals()
        for worker in workers { worker.status.tally.add(to: &totals) }
        // Listeners without a connection yet are there too, with 0.
        for listener in installer.state.settings.listeners where totals.active[listener.name] == nil {
            totals.active[listener.name] = 0
        }
        let opened = totals.active.mapValues { _ in UInt64(0) }.merging(totals.opened) { $1 }
        text.write(Metrics.opened, opened.sorted { $0.key < $1.key }.map { (labels: [$0.key], value: $0.value) })
        text.write(
            Metrics.active,
            totals.active.sorted { $0.key < $1.key }.map { (labels: [$0.key], value: UInt64(clamping: $0.value)) })
        text.write(Metrics.closed, Self.ordered(totals.closed) { [$0.listener, $0.reason] })
        text.write(Metrics.passedThrough, passedConnections)
        text.write(Metrics.looped, loops)
        text.write(Metrics.unauthenticated, plaintextSamples)
        text.write(
            Metrics.refusals,
            Self.ordered(totals.closed.filter { Self.shortages.contains($0.key.reason) }) { [$0.listener, $0.reason] })
        text.write(Metrics.connectionTimes, totals.connectionTimes)
        text.write(
            Metrics.bytes,
            Self.ordered(totals.bytes.mapValues(\.toUpstream)) { [$0.listener, $0.route, "to_upstream"] }
                + Self.ordered(totals.bytes.mapValues(\.fromUpstream)) { [$0.listener, $0.route, "from_upstream"] })
        text.write(Metrics.handshakes, Self.ordered(totals.handshakes) { [$0.listener, $0.kind, $0.result, $0.code] })
        text.write(Metrics.handshakeTimes, totals.handshakeTimes)
        text.write(
            Metrics.decisions,
            Self.ordered(totals.decisions) { [$0.listener, $0.route, $0.policy, $0.rule, $0.decision] })
    }

    private func addProcessMetrics(to text: inout PrometheusText) {
        guard let figures = ProcessFigures.now() else { return }
        text.write(ProxyMetrics.processCPU, seconds: figures.cpuNanoseconds)
        text.write(ProxyMetrics.processMemory, figures.residentBytes)
        text.write(ProxyMetrics.processDescriptors, figures.descriptors)
        text.write(ProxyMetrics.processDescriptorLimit, figures.descriptorLimit)
        text.write(ProxyMetrics.processStart, figures.startUnixSeconds)
    }

    /// One for each route of a permissive listener, 0 included: where it stays so, certificates may be required.
    private var plaintextSamples: [(labels: [String], value: UInt64)] {
        installer.state.settings.listeners.filter { $0.permissive != nil }.flatMap { listener in
            listener.routes.map { route in
                (
                    labels: [listener.name, route.name],
                    value: installer.plaintextCounts[
                        PlaintextCounts.Place(listener: listener.name, route: route.name)]
                )
            }
        }
    }

    private static func ordered<Key>(
        _ counts: [Key: UInt64], _ labels: (Key) -> [String]
    ) -> [(labels: [String], value: UInt64)] {
        counts.map { (labels: labels($0.key), value: $0.value) }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
    }

    /// Of close reasons those that are of this proxy's limits.
    private static let shortages: Set<String> = [
        CloseReason.connectionLimit.rawValue, CloseReason.sourceLimit.rawValue, CloseReason.overloaded.rawValue,
        CloseReason.upstreamLimit.rawValue,
    ]
}

extension TrustBundle {
    /// Unix seconds.
    fileprivate var notAfter: Int64? {
        certificates.compactMap { try? CertificateFields(parsing: $0.span).notAfter }.max()
    }
}
