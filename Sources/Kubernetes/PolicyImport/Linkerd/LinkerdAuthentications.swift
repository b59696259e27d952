import Policy
import Settings

/// Whom the authentications of Linkerd's policies let in. Each is read once, however many policies name it.
struct LinkerdAuthentications {
    private struct Key: Hashable {
        let namespace: String
        let name: String
    }

    private let target: ImportTarget
    private let objects: LinkerdObjects
    private var identities: [Key: IdentitySet] = [:]
    private var networks: [Key: SourceSet] = [:]
    /// The values that were read, and those of all policies.
    private var size = 0

    init(target: ImportTarget, objects: LinkerdObjects) {
        self.target = target
        self.objects = objects
    }

    /// Those of a MeshTLSAuthentication or a ServiceAccount.
    mutating func identities(
        named reference: LinkerdReference, by policy: PolicyObject
    ) throws(SettingsFlaw) -> IdentitySet {
        let namespace = reference.namespace ?? policy.namespace
        if reference.isCore("ServiceAccount") {
            let names = LinkerdIdentities(naming: target.identities, file: policy.file)
            return IdentitySet([try names.serviceAccount(reference.name, in: namespace, at: reference.node)])
        }
        guard reference.isLinkerd("MeshTLSAuthentication") else {
            throw policy.flaw(
                "\(reference.shown) is no authentication: it is a MeshTLSAuthentication or a NetworkAuthentication of "
                    + "policy.linkerd.io, or a ServiceAccount", at: reference.node)
        }
        let key = Key(namespace: namespace, name: reference.name)
        if identities[key] == nil {
            identities[key] = try readIdentities(of: find(reference, in: namespace, by: policy))
        }
        let known = identities[key] ?? IdentitySet([])
        try spend(known.terms.count, on: policy, at: reference.node)
        return known
    }

    /// The addresses of a NetworkAuthentication.
    mutating func networks(
        named reference: LinkerdReference, by policy: PolicyObject
    ) throws(SettingsFlaw) -> SourceSet {
        let namespace = reference.namespace ?? policy.namespace
        let key = Key(namespace: namespace, name: reference.name)
        if networks[key] == nil { networks[key] = try readNetworks(of: find(reference, in: namespace, by: policy)) }
        let known = networks[key] ?? SourceSet([])
        try spend(known.count, on: policy, at: reference.node)
        return known
    }

    private mutating func readIdentities(of object: PolicyObject) throws(SettingsFlaw) -> IdentitySet {
        let spec = try object.spec(keys: ["identities", "identityRefs"])
        let names = LinkerdIdentities(naming: target.identities, file: object.file)
        var terms: [IdentityTerm] = []
        for item in try items(spec?["identities"], "`identities`", of: object) {
            terms.append(try names.identity(item))
        }
        for item in try items(spec?["identityRefs"], "`identityRefs`", of: object) {
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
        return IdentitySet(terms)
    }

    private mutating func readNetworks(of object: PolicyObject) throws(SettingsFlaw) -> SourceSet {
        guard let list = try object.spec(keys: ["networks"])?["networks"] else {
            throw object.flaw("it names no network, and Linkerd refuses it")
        }
        var blocks: [CIDR] = []
        for item in try list.items("`networks`", in: object.file) {
            let what = "a network"
            let fields = try ObjectFields(item, what, keys: ["cidr", "except"], file: object.file)
            var holes: [CIDR] = []
            for hole in try items(fields["except"], "`except`", of: object) {
                holes.append(try hole.block(in: object.file))
            }
            let block = try fields.required("cidr", of: what).block(in: object.file)
            guard let rest = SourceSet([block]).subtracting(SourceSet(holes))?.blocks,
                blocks.count + rest.count <= SourceSet.blocksAtMost
            else { throw object.flaw("too many blocks: name the networks without `except`", at: item) }
            blocks += rest
        }
        return SourceSet(blocks)
    }

    /// The items of a list that may be absent or empty, which are counted.
    private mutating func items(
        _ list: SourceNode?, _ what: String, of object: PolicyObject
    ) throws(SettingsFlaw) -> [SourceNode] {
        guard let list else { return [] }
        let items = try list.items(what, in: object.file, emptyIsNone: true)
        try spend(items.count, on: object, at: list)
        return items
    }

    private func find(
        _ reference: LinkerdReference, in namespace: String, by policy: PolicyObject
    ) throws(SettingsFlaw) -> PolicyObject {
        guard let found = objects.find(reference, in: namespace) else {
            throw policy.flaw(
                "the \(reference.kind) \(quoted(reference.name)) of the namespace \(quoted(namespace)) is not in the "
                    + "input: add it", at: reference.node)
        }
        return found
    }

    private mutating func spend(_ count: Int, on object: PolicyObject, at node: SourceNode) throws(SettingsFlaw) {
        size += count
        guard size <= Self.sizeAtMost else {
            throw object.flaw("the policies have too many values: import fewer at a time", at: node)
        }
    }

    /// More than settings take.
    private static let sizeAtMost = 65_536
}
