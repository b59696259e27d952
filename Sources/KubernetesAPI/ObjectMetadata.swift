/// An object as this client reads it: the fields that matter to the reader, and these of its metadata.
public protocol APIObject: Decodable, Sendable {
    var metadata: ObjectMetadata { get }
}

/// What of an object's metadata is read. To write an object back whole, use ``JSONValue``, which keeps every field.
public struct ObjectMetadata: Hashable, Sendable, Decodable {
    public var name: String?
    public var namespace: String?
    public var uid: String?
    public var resourceVersion: String?
    public var generation: Int?
    public var labels: [String: String]?
    public var annotations: [String: String]?
    public var ownerReferences: [OwnerReference]?

    public init(name: String? = nil, namespace: String? = nil) {
        self.name = name
        self.namespace = namespace
    }
}

public struct OwnerReference: Hashable, Sendable, Decodable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: String
    public var controller: Bool?

    public init(apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
    }
}
