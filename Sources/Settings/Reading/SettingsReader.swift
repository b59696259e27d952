import Identity
import Policy

/// Turns the node tree of a file into settings, collecting every flaw on the way.
///
/// A reading function returns nil exactly if it, or the builder of the tree, has reported an error; callers go on with
/// the rest of the file, and never report what merely follows from a flaw already told.
struct SettingsReader {
    let file: String
    private(set) var flaws: FlawList
    /// The names under `policies` with their places in `Settings.policies`; nil if they could not be read.
    var policyIndices: [String: Int]?
    /// The policies that routes name.
    var usedPolicies: Set<String> = []
    /// The trust domains that have a bundle; nil if they could not all be read.
    var trustDomains: Set<TrustDomain>?
    /// Where further trust domains publish their bundles.
    var bundleEndpoints: [BundleEndpoint] = []
    /// False if a route may name a policy without our knowing.
    var routesAreKnown = true
    /// Every bind of the file with what it is for.
    var binds: [(owner: String, bind: Located<Endpoint>)] = []
    /// Endpoints of inbound routes on this host.
    var applications: [Located<Endpoint>] = []

    /// What SPIFFE_ENDPOINT_SOCKET says, if it is set.
    let endpointSocket: String?

    init(file: String, flaws: FlawList, endpointSocket: String?) {
        self.file = file
        self.endpointSocket = endpointSocket
        self.flaws = flaws
    }

    mutating func settings(_ root: Node) -> Settings? {
        guard let fields = fields(root, section: "") else { return nil }
        // Patterns are compared with the trust domains, and routes refer to policies: hence the order.
        let identity = self.identity(fields["identity"], of: fields)
        let policies = self.policies(fields["policies"])
        if fields["listeners"]?.isSequence != true { routesAreKnown = false }
        let listeners = required("listeners", in: fields).flatMap { self.listeners($0) }
        let admin = value(of: "admin", in: fields, default: nil) { $0.admin($1) }
        let workers = value(of: "workers", in: fields, default: nil) { $0.integer($1, in: workersAllowed) }
        let eventLoop = value(of: "eventLoop", in: fields, default: EventLoopChoice.auto) { $0.choice($1) }
        let tls = value(of: "tls", in: fields, default: TLSSettings()) { $0.tls($1) }
        let limits = value(of: "limits", in: fields, default: LimitSettings()) { $0.limits($1) }
        let accessLog = value(of: "accessLog", in: fields, default: .standardOutput) { $0.accessLog($1) }
        let log = value(of: "log", in: fields, default: LogSettings()) { $0.log($1) }
        reportOverlappingBinds()
        reportUnusedPolicies(fields["policies"])

        guard !flaws.hasErrors, let identity, let listeners, let policies else { return nil }
        var settings = Settings(
            identity: identity, admin: admin, workers: workers, eventLoop: eventLoop, tls: tls, listeners: listeners,
            policies: policies, limits: limits, accessLog: accessLog, log: log)
        settings.federation = bundleEndpoints
        return settings
    }

    mutating func error(_ message: String, at position: Position) {
        flaws.append(SettingsFlaw(.error, at: position, message))
    }

    mutating func warn(_ message: String, at position: Position) {
        flaws.append(SettingsFlaw(.warning, at: position, message))
    }

    /// The end of a message that proposes the nearest of some names; empty if none is near.
    func suggestion(for name: String, among candidates: [String]) -> String {
        guard !flaws.isFull, let nearest = nearestName(to: name, among: candidates.sorted()) else { return "" }
        return "; did you mean \(quoted(nearest))?"
    }

    /// Reports an error and yields nil, for one-line guards.
    mutating func refuse<Value>(_ message: String, at position: Position) -> Value? {
        error(message, at: position)
        return nil
    }
}
