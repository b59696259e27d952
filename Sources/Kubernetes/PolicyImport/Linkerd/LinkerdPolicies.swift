import Policy
import Settings

/// Linkerd's policies for one port of one workload.
///
/// [Authorization Policy](https://linkerd.io/2/reference/authorization-policy/): a Server selects a port of pods; its
/// traffic is denied unless an AuthorizationPolicy for the Server or its namespace allows it, all of whose
/// authentications must match, or the Server's `accessPolicy` does.
struct LinkerdPolicies {
    let target: ImportTarget
    private var objects: [String: [PolicyObject]] = [:]
    private(set) var notes: [SettingsFlaw] = []

    init(target: ImportTarget) { self.target = target }

    /// Whether a Server or a policy is in the workload's namespace.
    var apply: Bool { !local("Server").isEmpty || !local("AuthorizationPolicy").isEmpty }

    mutating func add(_ object: PolicyObject) throws(SettingsFlaw) {
        switch object.kind {
        case "Server", "AuthorizationPolicy", "MeshTLSAuthentication", "NetworkAuthentication", "HTTPRoute",
            "GRPCRoute":
            objects[object.kind, default: []].append(object)
        case "ServerAuthorization":
            guard object.namespace == target.namespace else { return }
            throw object.flaw(
                "a ServerAuthorization is not imported: write it as an AuthorizationPolicy, or leave it out, which "
                    + "allows less")
        case "HTTPLocalRateLimitPolicy", "ConcurrencyLimitPolicy":
            notes.append(object.note("passed over: it limits rates and authorizes nobody"))
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
        var allows: [PeerMatch] = []
        for policy in local("AuthorizationPolicy") {
            if let match = try match(policy, of: server) { allows.append(match) }
        }
        let mode = try addAccessPolicy(of: server, to: &allows)
        return (try RuleCompiler.compile(allows: allows, denials: []), mode, notes)
    }

    // MARK: Private

    private func local(_ kind: String) -> [PolicyObject] {
        (objects[kind] ?? []).filter { $0.namespace == target.namespace }
    }

    /// The Server that selects the workload's port; Servers must not overlap
    /// (["Server"](https://linkerd.io/2/reference/authorization-policy/#server)).
    private func server(at position: Position) throws(SettingsFlaw) -> PolicyObject {
        var found: [PolicyObject] = []
        for server in local("Server") where try server.selects(target) { found.append(server) }
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
            for route in local(kind) where try parents(of: route).contains(server.name) {
                throw route.flaw(
                    "this route of \(server.description) is about requests, and Postern decides about connections: "
                        + "authorize its clients for the whole Server, and leave it out")
            }
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
    private mutating func match(_ policy: PolicyObject, of server: PolicyObject) throws(SettingsFlaw) -> PeerMatch? {
        let what = "an AuthorizationPolicy"
        guard let spec = try policy.spec(keys: ["targetRef", "requiredAuthenticationRefs"]) else {
            throw policy.flaw("\(what) needs a `spec`")
        }
        let reference = try LinkerdReference(spec.required("targetRef", of: what), in: policy)
        guard try isTarget(reference, of: policy, server) else {
            notes.append(policy.note("passed over: it is not for the workload's Server"))
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
                match.sources = try networks(named: reference, by: policy)
            } else {
                hasIdentities = true
                match.identities = IdentitySet(try identities(named: reference, by: policy))
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
        let known = local(reference.kind).contains { $0.name == reference.name && $0.group == reference.group }
        // A route that is known is not the Server's: those are refused before.
        guard known else {
            throw policy.flaw(
                "this is for requests of the route \(quoted(reference.name)), and Postern decides about connections: "
                    + "authorize its clients for the whole Server, or leave it out, which allows less",
                at: reference.node)
        }
        return false
    }

    private func identities(
        named reference: LinkerdReference, by policy: PolicyObject
    ) throws(SettingsFlaw) -> [IdentityTerm] {
        let namespace = reference.namespace ?? policy.namespace
        if reference.isCore("ServiceAccount") {
            let names = LinkerdIdentities(naming: target.identities, file: policy.file)
            return [try names.serviceAccount(reference.name, in: namespace, at: reference.node)]
        }
        guard reference.isLinkerd("MeshTLSAuthentication") else {
            throw policy.flaw(
                "\(reference.shown) is no authentication: it is a MeshTLSAuthentication or a NetworkAuthentication of "
                    + "policy.linkerd.io, or a ServiceAccount", at: reference.node)
        }
        let object = try find(reference, in: namespace, by: policy)
        let spec = try object.spec(keys: ["identities", "identityRefs"])
        let names = LinkerdIdentities(naming: target.identities, file: object.file)
        var terms: [IdentityTerm] = []
        for item in try spec?["identities"]?.items("`identities`", in: object.file, emptyIsNone: true) ?? [] {
            terms.append(try names.identity(item))
        }
        for item in try spec?["identityRefs"]?.items("`identityRefs`", in: object.file, emptyIsNone: true) ?? [] {
            let reference = try LinkerdReference(item, in: object)
            if reference.isCore("ServiceAccount") {
                let namespace = reference.namespace ?? object.namespace
                terms.append(try names.serviceAccount(reference.name, in: namespace, at: item))
            } else if reference.isCore("Namespace") {
                terms.append(try names.namespace(reference.name, at: item))
            } else {
                throw object.flaw("\(reference.shown) is no ServiceAccount and no Namespace", at: item)
            }
        }
        guard !terms.isEmpty else { throw object.flaw("it names no identity, and Linkerd refuses it") }
        return terms
    }

    private func networks(
        named reference: LinkerdReference, by policy: PolicyObject
    ) throws(SettingsFlaw) -> SourceSet {
        let object = try find(reference, in: reference.namespace ?? policy.namespace, by: policy)
        guard let list = try object.spec(keys: ["networks"])?["networks"] else {
            throw object.flaw("it names no network, and Linkerd refuses it")
        }
        var set = SourceSet([])
        for item in try list.items("`networks`", in: object.file) {
            let what = "a network"
            let fields = try ObjectFields(item, what, keys: ["cidr", "except"], file: object.file)
            var holes: [CIDR] = []
            for hole in try fields["except"]?.items("`except`", in: object.file, emptyIsNone: true) ?? [] {
                holes.append(try hole.block(in: object.file))
            }
            let block = try fields.required("cidr", of: what).block(in: object.file)
            let network = SourceSet([block]).subtracting(SourceSet(holes))
            guard network.count + set.count <= SourceSet.blocksAtMost else {
                throw object.flaw("too many blocks: name the networks without `except`", at: item)
            }
            set = set.union(network)
        }
        return set
    }

    private func find(
        _ reference: LinkerdReference, in namespace: String, by policy: PolicyObject
    ) throws(SettingsFlaw) -> PolicyObject {
        let found = objects[reference.kind]?.first { $0.namespace == namespace && $0.name == reference.name }
        guard let found else {
            throw policy.flaw(
                "the \(reference.kind) \(quoted(reference.name)) of the namespace \(quoted(namespace)) is not in the "
                    + "input: add it", at: reference.node)
        }
        return found
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
