import Policy
import Settings

/// Linkerd's policies for one port of one workload.
///
/// [Authorization Policy](https://linkerd.io/2/reference/authorization-policy/): a Server selects a port of pods; its
/// traffic is denied unless an AuthorizationPolicy for the Server or its namespace allows it, all of whose
/// authentications must match, or the Server's `accessPolicy` does.
struct LinkerdPolicies {
    let target: ImportTarget
    private var objects: LinkerdObjects
    private(set) var notes: [SettingsFlaw] = []

    init(target: ImportTarget) {
        self.target = target
        objects = LinkerdObjects(namespace: target.namespace)
    }

    /// Whether a Server or a policy is in the workload's namespace.
    var apply: Bool {
        ["Server", "AuthorizationPolicy", "ServerAuthorization"].contains { !objects.local($0).isEmpty }
    }

    mutating func add(_ object: PolicyObject) throws(SettingsFlaw) {
        switch object.kind {
        case "Server", "AuthorizationPolicy", "MeshTLSAuthentication", "NetworkAuthentication", "HTTPRoute",
            "GRPCRoute", "ServerAuthorization":
            objects.add(object)
        case "HTTPLocalRateLimitPolicy", "ConcurrencyLimitPolicy":
            notes.append(passedOver(object, "it limits rates and authorizes nobody"))
        case "EgressNetwork", "UnmeshedNetwork": break
        default:
            guard object.namespace == target.namespace else { return }
            throw object.flaw("the kind \(quoted(object.kind)) of \(object.group) is not known")
        }
    }

    /// The rules, once all objects are taken. `position` is the beginning of the file.
    mutating func compiled(
        at position: Position
    ) throws(SettingsFlaw) -> (rules: [RuleCompiler.Result], mode: EnforcementMode, notes: [SettingsFlaw]) {
        guard target.port != nil else {
            throw SettingsFlaw(
                .error, at: position, "Linkerd's policies are those of a port: say with `--port` which one")
        }
        let server = try server(at: position)
        try refuseRoutes(of: server)
        try refuseServerAuthorizations(of: server)
        var authentications = LinkerdAuthentications(target: target, objects: objects)
        var allows: [PeerMatch] = []
        for policy in objects.local("AuthorizationPolicy") {
            guard let match = try match(policy, of: server, &authentications) else { continue }
            allows.append(match)
            guard allows.count <= RuleCompiler.matchesAtMost else {
                throw policy.flaw("the policies make more than \(RuleCompiler.matchesAtMost) rules")
            }
        }
        let mode = try addAccessPolicy(of: server, to: &allows)
        return (try RuleCompiler.compile(allows: allows, denials: []), mode, notes)
    }

    // MARK: Private

    private func passedOver(_ object: PolicyObject, _ why: String) -> SettingsFlaw {
        object.note("passed over: \(object.description): \(why)")
    }

    /// The Server that selects the workload's port; Servers must not overlap
    /// (["Server"](https://linkerd.io/2/reference/authorization-policy/#server)).
    private func server(at position: Position) throws(SettingsFlaw) -> PolicyObject {
        var found: [PolicyObject] = []
        for server in objects.local("Server") where try server.selects(target) { found.append(server) }
        guard let first = found.first else {
            throw SettingsFlaw(
                .error, at: position,
                "no Server selects this port of the workload: Linkerd's default inbound policy decides about it, which "
                    + "is not in the file; write a policy by hand")
        }
        guard found.count == 1 else {
            throw found[1].flaw("this and \(first.description) select the same port, which Linkerd does not accept")
        }
        return first
    }

    /// Refuses routes of the Server: with one, Linkerd decides about requests.
    private func refuseRoutes(of server: PolicyObject) throws(SettingsFlaw) {
        for kind in PolicyObject.routes {
            for route in objects.local(kind) where try parents(of: route).contains(server.name) {
                throw route.flaw(
                    "this route of \(server.description) is about requests, and Postern decides about connections: "
                        + "authorize its clients for the whole Server, and leave it out")
            }
        }
    }

    /// Refuses a ServerAuthorization unless it is for another Server by name.
    private mutating func refuseServerAuthorizations(of server: PolicyObject) throws(SettingsFlaw) {
        for object in objects.local("ServerAuthorization") {
            let name = try object.value("spec", "server", "name")?.text("`name`", in: object.file)
            guard let name, name != server.name, try object.value("spec", "server", "selector") == nil else {
                throw object.flaw(
                    "a ServerAuthorization is not imported: write it as an AuthorizationPolicy, or leave it out, which "
                        + "allows less")
            }
            notes.append(passedOver(object, "it is for another Server"))
        }
    }

    /// The names of the Servers that a route belongs to.
    private func parents(of route: PolicyObject) throws(SettingsFlaw) -> [String] {
        guard let references = try route.value("spec", "parentRefs") else { return [] }
        var names: [String] = []
        for item in try references.items("`parentRefs`", in: route.file, emptyIsNone: true) {
            let reference = try LinkerdReference(item, in: route, group: route.group, kind: "Gateway")
            if reference.isLinkerd("Server") {
                names.append(reference.name)
            } else if reference.group == PolicyObject.linkerd {
                guard ["Gateway", "EgressNetwork"].contains(reference.kind) else {
                    throw route.flaw("\(reference.shown) is no parent of a route that is known", at: item)
                }
            }
        }
        return names
    }

    /// What a policy allows; nil if it is for something else.
    private mutating func match(
        _ policy: PolicyObject, of server: PolicyObject, _ authentications: inout LinkerdAuthentications
    ) throws(SettingsFlaw) -> PeerMatch? {
        let what = "an AuthorizationPolicy"
        guard let spec = try policy.spec(keys: ["targetRef", "requiredAuthenticationRefs"]) else {
            throw policy.flaw("\(what) needs a `spec`")
        }
        let reference = try LinkerdReference(spec.required("targetRef", of: what), in: policy)
        guard try isTarget(reference, of: policy, server) else {
            notes.append(passedOver(policy, "it is not for the workload's Server"))
            return nil
        }
        let list = try spec.required("requiredAuthenticationRefs", of: what)
        var match = PeerMatch(
            origin: RuleOrigin(name: policy.name, description: policy.description, position: policy.position))
        var (hasIdentities, hasNetworks) = (false, false)
        for item in try list.items("`requiredAuthenticationRefs`", in: policy.file, emptyIsNone: true) {
            let reference = try LinkerdReference(item, in: policy)
            let isNetwork = reference.isLinkerd("NetworkAuthentication")
            guard !(isNetwork ? hasNetworks : hasIdentities) else {
                throw policy.flaw("a second authentication of a kind, with which Linkerd ignores the policy", at: item)
            }
            if isNetwork {
                hasNetworks = true
                match.sources = try authentications.networks(named: reference, by: policy)
            } else {
                hasIdentities = true
                match.identities = try authentications.identities(named: reference, by: policy)
            }
        }
        if !hasIdentities { narrow(&match, policy.position, "this demands no identity") }
        return match
    }

    private func isTarget(
        _ reference: LinkerdReference, of policy: PolicyObject, _ server: PolicyObject
    ) throws(SettingsFlaw) -> Bool {
        if reference.isLinkerd("Server") { return reference.name == server.name }
        if reference.isCore("Namespace") {
            guard reference.name == policy.namespace else {
                throw policy.flaw("the namespace can only be the policy's own, \(policy.namespace)", at: reference.node)
            }
            return true
        }
        guard PolicyObject.routes.contains(reference.kind) else {
            throw policy.flaw(
                "\(reference.shown) is no target: it is a Server of policy.linkerd.io, or the Namespace",
                at: reference.node)
        }
        // A route that is known is not the Server's: those are refused before.
        guard objects.find(reference, in: target.namespace) != nil else {
            throw policy.flaw(
                "this is for requests of the route \(quoted(reference.name)), and Postern decides about connections: "
                    + "authorize its clients for the whole Server, or leave it out, which allows less",
                at: reference.node)
        }
        return false
    }

    /// Adds what the Server's `accessPolicy` allows besides
    /// (["accessPolicy"](https://linkerd.io/2/reference/authorization-policy/#accesspolicy)): traffic that no policy
    /// is for.
    private mutating func addAccessPolicy(
        of server: PolicyObject, to allows: inout [PeerMatch]
    ) throws(SettingsFlaw) -> EnforcementMode {
        guard let node = try server.spec(keys: server.serverKeys)?["accessPolicy"] else { return .enforce }
        let text = try node.text("`accessPolicy`", in: server.file)
        let description = "\(server.description), accessPolicy \(text)"
        var match = PeerMatch(
            origin: RuleOrigin(
                name: "\(server.name)-access-policy", description: description, position: node.position(in: server.file)
            ))
        match.identities = IdentitySet([IdentityTerm(trustDomain: target.identities.trustDomain)])
        switch text {
        case "deny": return .enforce
        case "audit":
            notes.append(
                SettingsFlaw(
                    .warning, at: match.origin.position,
                    "audit only logs what no policy allows, and so does this policy: it lets every peer in that has an "
                        + "identity, and Linkerd also clients without mutual TLS"))
            return .audit
        case "all-authenticated": break
        case "all-unauthenticated": narrow(&match, match.origin.position, "this demands no identity")
        case "cluster-authenticated", "cluster-unauthenticated":
            guard !target.clusterNetworks.isEmpty else {
                throw server.flaw(
                    "\(quoted(text)) is about Linkerd's `clusterNetworks`: say with `--cluster-networks` which these "
                        + "are", at: node)
            }
            match.sources = SourceSet(target.clusterNetworks)
            if text == "cluster-unauthenticated" { narrow(&match, match.origin.position, "this demands no identity") }
        default: throw server.flaw("\(quoted(text)) is no access policy", at: node)
        }
        allows.append(match)
        return .enforce
    }

    /// Where Linkerd also lets in clients without identity, Postern lets in those of the mesh alone, and says so.
    private mutating func narrow(_ match: inout PeerMatch, _ position: Position, _ why: String) {
        match.identities = IdentitySet([IdentityTerm(trustDomain: target.identities.trustDomain)])
        match.origin.remarks.append("narrower than its source: clients without mutual TLS are refused")
        notes.append(
            SettingsFlaw(
                .warning, at: position,
                "\(why), so that Linkerd lets in clients without mutual TLS too; Postern lets in those of "
                    + "\(target.identities.trustDomain) alone"))
    }
}
