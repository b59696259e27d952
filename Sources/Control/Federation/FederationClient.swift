import Federation
import Identity
import Logging
import Settings
import Synchronization
import SVID
import System
import TLS

/// Polls bundle endpoints and keeps the bundles of federated trust domains. Belongs to the control thread; each poll
/// runs on a thread of its own.
final class FederationClient {
    /// One endpoint and its state.
    private struct Member {
        let endpoint: BundleEndpoint
        var polling: BundlePolling
        var bundle: TrustBundle?
        var isUnderway = false
        var complaint = ""
    }

    /// Poll results; any thread.
    private final class Results: Sendable {
        let wake: ControlWake
        private let waiting = Mutex<[(BundleEndpoint, Result<BundleDocument, BundleFetch.Fault>)]>([])

        init() throws(ControlFault) { wake = try ControlWake() }

        func post(_ endpoint: BundleEndpoint, _ result: Result<BundleDocument, BundleFetch.Fault>) {
            waiting.withLock { $0.append((endpoint, result)) }
            wake.signal()
        }

        func take() -> [(BundleEndpoint, Result<BundleDocument, BundleFetch.Fault>)] {
            waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
    }

    private var members: [Member] = []
    /// True until the first tick: the initial bundles have not been applied yet.
    private var isFresh = true
    private let results: Results
    private let logger: Logger
    /// Of the sockets of polls; 0 for none.
    var mark: UInt32 = 0

    init(_ endpoints: [BundleEndpoint], on loop: ControlLoop, logger: Logger) throws(ControlFault) {
        self.logger = logger
        results = try Results()
        try loop.watch(eventDescriptor: results.wake.number)
        serve(endpoints)
    }

    /// Signalled when a poll ends.
    var wakeDescriptor: Int32 { results.wake.number }

    /// Every bundle that may be used now.
    private var bundles: [TrustBundle] { members.compactMap(\.bundle).filter { !$0.certificates.isEmpty } }

    /// The bundle of each of these endpoints' trust domains; empty where there is none to use. An endpoint that is
    /// named is the one source of its domain's bundle. Of an endpoint that is new, it is what it begins with.
    func bundles(for endpoints: [BundleEndpoint]) -> [TrustBundle] {
        endpoints.map { endpoint in
            bundle(of: endpoint) ?? .empty(of: endpoint.trustDomain)
        }
    }

    /// What is known of the endpoint's trust domain. Where another endpoint was asked before, or the same otherwise,
    /// the bundle that it gave stays the last good one until there is an answer.
    private func bundle(of endpoint: BundleEndpoint) -> TrustBundle? {
        let member =
            members.first { $0.endpoint == endpoint }
            ?? members.first { $0.endpoint.trustDomain == endpoint.trustDomain }
        return member.map(\.bundle) ?? Self.initialBundle(endpoint)
    }

    /// Replaces the endpoints; those that stay keep their state.
    func serve(_ endpoints: [BundleEndpoint]) {
        members = endpoints.map { endpoint in
            if let known = members.first(where: { $0.endpoint == endpoint }) { return known }
            let initial = bundle(of: endpoint)
            return Member(
                endpoint: endpoint,
                polling: BundlePolling(
                    now: Self.now(), staleAfterSeconds: Int64(endpoint.staleAfterMilliseconds / 1_000),
                    authorities: initial?.certificates),
                bundle: initial)
        }
    }

    /// Starts the polls that are due and drops stale bundles; returns whether bundles changed, and the milliseconds
    /// until the next poll or expiry.
    ///
    /// - Parameter material: our own identity; without one, https_spiffe endpoints must wait.
    func tick(_ material: IdentityMaterial?) -> (changed: Bool, wait: Int?) {
        let now = Self.now()
        var changed = isFresh && !bundles.isEmpty
        isFresh = false
        var wait: Int64?
        for index in members.indices {
            if members[index].polling.checkAge(now: now) {
                members[index].bundle = nil
                changed = true
                logger.error(
                    "the bundle is stale, the trust domain is no longer trusted",
                    metadata: ["trustDomain": "\(members[index].endpoint.trustDomain)"])
            }
            if !members[index].isUnderway, now >= members[index].polling.dueAt { begin(index, material) }
            let left = members[index].isUnderway ? 1 : max(1, members[index].polling.dueAt - now)
            wait = min(wait ?? left, left)
        }
        return (changed, wait.map { Int($0) * 1_000 })
    }

    /// Collects poll results; returns whether bundles changed.
    func takeResults() -> Bool {
        var changed = false
        for (endpoint, result) in results.take() {
            guard let index = members.firstIndex(where: { $0.endpoint == endpoint }) else { continue }
            members[index].isUnderway = false
            switch result {
            case .success(let document): changed = take(document, index) || changed
            case .failure(let fault): fail(index, fault.description)
            }
        }
        return changed
    }

    // MARK: Private

    private func begin(_ index: Int, _ material: IdentityMaterial?) {
        let endpoint = members[index].endpoint
        guard let trust = trust(index, material) else { return members[index].polling.failed(now: Self.now()) }
        let results = results
        let fetch = BundleFetch(endpoint: endpoint, trust: trust, mark: mark)
        do throws(ControlFault) {
            // Dropping the value detaches the thread, which ends within its timeouts.
            _ = try PosixThread.spawn(name: "bundle-poll") { results.post(endpoint, fetch.run()) }
            members[index].isUnderway = true
        } catch {
            fail(index, "\(error)")
        }
    }

    private func trust(_ index: Int, _ material: IdentityMaterial?) -> BundleFetch.Trust? {
        let endpoint = members[index].endpoint
        switch endpoint.profile {
        case .web(let authorities): return .web(authorities: authorities)
        case .spiffe(let id, let file):
            guard let material else { return nil }
            // A trust domain that publishes its own bundle is authenticated by the newest one.
            if id.trustDomain == endpoint.trustDomain, let bundle = members[index].bundle {
                return .spiffe(material.trusting([bundle]), id)
            }
            do throws(IdentityFlaw) {
                let bundle = try TrustBundle(reading: file, of: id.trustDomain)
                return .spiffe(material.trusting([bundle]), id)
            } catch {
                complain(index, error.description)
                return nil
            }
        }
    }

    private func take(_ document: BundleDocument, _ index: Int) -> Bool {
        let endpoint = members[index].endpoint
        let bundle: TrustBundle
        do throws(TrustBundleFlaw) {
            bundle = try TrustBundle(checking: document.authorities, of: endpoint.trustDomain)
        } catch {
            fail(index, error.description)
            return false
        }
        switch members[index].polling.answered(document, now: Self.now(), chance: .random(in: 0...1)) {
        case .unchanged:
            members[index].complaint = ""
            return false
        case .refused(let sequence, let current):
            complain(index, "the document's sequence \(sequence) is lower than \(current), the one in use")
            return false
        case .changed:
            members[index].complaint = ""
            members[index].bundle = bundle
            guard !bundle.certificates.isEmpty else {
                // A trust domain may withdraw all that it published; a publisher that fails may look the same.
                logger.warning(
                    "the bundle has no X.509 authority, the trust domain is not trusted",
                    metadata: ["trustDomain": "\(endpoint.trustDomain)"])
                return true
            }
            logger.notice(
                "bundle taken",
                metadata: [
                    "trustDomain": "\(endpoint.trustDomain)",
                    "authorities": .stringConvertible(bundle.certificates.count),
                    "sequence": document.sequence.map { .stringConvertible($0) } ?? "none",
                ])
            return true
        }
    }

    private func fail(_ index: Int, _ reason: String) {
        members[index].polling.failed(now: Self.now())
        complain(index, reason)
    }

    private func complain(_ index: Int, _ reason: String) {
        guard members[index].complaint != reason else { return }
        members[index].complaint = reason
        let effect =
            members[index].bundle == nil ? "the trust domain is not trusted" : "the last good bundle stays in use"
        logger.warning(
            "bundle endpoint: \(reason); \(effect)",
            metadata: [
                "trustDomain": "\(members[index].endpoint.trustDomain)", "url": "\(members[index].endpoint.url)",
            ])
    }

    /// The bundle file that authenticates the server, if both belong to one trust domain.
    private static func initialBundle(_ endpoint: BundleEndpoint) -> TrustBundle? {
        guard case .spiffe(let id, let file) = endpoint.profile, id.trustDomain == endpoint.trustDomain else {
            return nil
        }
        return try? TrustBundle(reading: file, of: id.trustDomain)
    }

    private static func now() -> Int64 { MonotonicClock.milliseconds() / 1_000 }
}
