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
    /// Every bind of the file.
    var binds: [Bind] = []
    let sources: SourceMap

    /// What SPIFFE_ENDPOINT_SOCKET says, if it is set.
    let endpointSocket: String?

    init(file: String, sources: SourceMap, flaws: FlawList, endpointSocket: String?) {
        self.file = file
        self.sources = sources
        self.endpointSocket = endpointSocket
        self.flaws = flaws
    }

    mutating func settings(_ root: Node) -> Settings? {
        guard let fields = fields(root, of: RootKeys.section) else { return nil }
        // Patterns are compared with the trust domains, and routes refer to policies: hence the order.
        let identity = self.identity(fields)
        let policies = self.policies(fields[RootKeys.policies])
        if fields[RootKeys.listeners]?.isSequence != true { routesAreKnown = false }
        let listeners = required(RootKeys.listeners, in: fields).flatMap { self.listeners($0) }
        let others = landing(of: RootKeys.section, in: fields)
        reportOverlappingBinds()
        reportUnusedPolicies(fields[RootKeys.policies])

        guard !flaws.hasErrors, let identity, let listeners, let policies else { return nil }
        var settings = Settings(
            identity: identity, federation: bundleEndpoints, listeners: listeners, policies: policies)
        others.apply(to: &settings)
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
