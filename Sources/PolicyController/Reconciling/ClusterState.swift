import KubernetesAPI

/// Names an object in its namespace.
public struct ObjectKey: Hashable, Sendable, Comparable {
    public let namespace: String
    public let name: String

    init(_ namespace: String, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    init(_ metadata: ObjectMetadata) {
        namespace = metadata.namespace ?? ""
        name = metadata.name ?? ""
    }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// The objects of one kind that are known.
struct ObjectStore<Object: APIObject> {
    private var objects: [String: [String: Object]] = [:]

    subscript(_ key: ObjectKey) -> Object? { objects[key.namespace]?[key.name] }

    /// Those of a namespace, by name.
    func all(in namespace: String) -> [Object] {
        (objects[namespace] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    var namespaces: Set<String> { Set(objects.keys) }

    /// Takes what has become of them; returns the namespaces that are concerned.
    ///
    /// - Parameter scope: the namespace whose objects are listed; nil for all.
    mutating func take(_ change: CollectionChange<Object>, scope: String?) -> Set<String> {
        switch change {
        case .replaced(let listed):
            var concerned = scope.map { [$0] } ?? namespaces
            for namespace in concerned { objects[namespace] = nil }
            for object in listed {
                set(object)
                concerned.insert(ObjectKey(object.metadata).namespace)
            }
            return concerned
        case .changed(let object):
            // A watch may still tell of a version from before our own write.
            if let known = self[ObjectKey(object.metadata)], Self.isOlder(object, than: known) { return [] }
            set(object)
            return [ObjectKey(object.metadata).namespace]
        case .removed(let object):
            remove(ObjectKey(object.metadata))
            return [ObjectKey(object.metadata).namespace]
        case .interrupted: return []
        }
    }

    mutating func set(_ object: Object) {
        let key = ObjectKey(object.metadata)
        objects[key.namespace, default: [:]][key.name] = object
    }

    mutating func remove(_ key: ObjectKey) {
        objects[key.namespace]?[key.name] = nil
        if objects[key.namespace]?.isEmpty == true { objects[key.namespace] = nil }
    }

    private static func isOlder(_ object: Object, than known: Object) -> Bool {
        guard object.metadata.uid == known.metadata.uid, let new = Int(object.metadata.resourceVersion ?? ""),
            let old = Int(known.metadata.resourceVersion ?? "")
        else { return false }
        return new < old
    }
}
