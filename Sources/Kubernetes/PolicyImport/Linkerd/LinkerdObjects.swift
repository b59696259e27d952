/// The objects that Linkerd's policies are made of, by what names them.
struct LinkerdObjects {
    private struct Key: Hashable {
        let group: String
        let kind: String
        let namespace: String
        let name: String
    }

    /// Of the workload.
    private let namespace: String
    private var objects: [Key: PolicyObject] = [:]
    /// Those of the workload's namespace, by kind.
    private var local: [String: [PolicyObject]] = [:]

    init(namespace: String) { self.namespace = namespace }

    mutating func add(_ object: PolicyObject) {
        let key = Key(group: object.group, kind: object.kind, namespace: object.namespace, name: object.name)
        objects[key] = object
        if object.namespace == namespace { local[object.kind, default: []].append(object) }
    }

    func local(_ kind: String) -> [PolicyObject] { local[kind] ?? [] }

    func find(_ reference: LinkerdReference, in namespace: String) -> PolicyObject? {
        objects[Key(group: reference.group, kind: reference.kind, namespace: namespace, name: reference.name)]
    }
}
