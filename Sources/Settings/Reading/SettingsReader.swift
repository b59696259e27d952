import Identity
import Policy

/// Converts the node tree of a file into settings and collects every flaw.
///
/// A reading function returns nil exactly if it, or the tree builder, has reported an error. Callers continue with the
/// rest of the file, and never report a consequence of a reported flaw.
struct SettingsReader {
    let file: String
    private(set) var flaws: FlawList
    /// The names under `policies` with their indices in `Settings.policies`; nil if they could not be read.
    var policyIndices: [String: Int]?
    /// The policies that routes name.
    var usedPolicies: Set<String> = []
    /// The trust domains that have a bundle; nil if they could not all be read.
    var trustDomains: Set<TrustDomain>?
    /// The bundle endpoints of federated trust domains.
    var bundleEndpoints: [BundleEndpoint] = []
    /// False if a flawed route may use a policy that was not recorded.
    var routesAreKnown = true
    /// How the listener that is being read gets its connections; nil if that could not be read.
    var transparency: Transparency? = .off
    /// Every bind of the file.
    var binds: [Bind] = []
    var unixBinds: [UnixAddress: (owner: String, line: Int)] = [:]
    let sources: SourceMap

    /// The value of SPIFFE_ENDPOINT_SOCKET, if set.
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

    /// The suffix of a message that suggests the nearest name; empty if none is near.
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
