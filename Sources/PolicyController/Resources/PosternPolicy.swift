public import KubernetesAPI

/// A policy as an object of the cluster: rules in the words of the settings file, and the pods that they are for.
public struct PosternPolicy: APIObject {
    public var metadata: ObjectMetadata
    /// As it was written: the schema of the cluster may be older or newer than this program.
    public var spec: JSONValue?
    public var status: JSONValue?

    public static let resource = ObjectPath.Resource(
        group: "postern.dev", version: "v1alpha1", plural: "posternpolicies")

    public init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    var name: String { metadata.name ?? "" }

    private enum CodingKeys: CodingKey {
        case metadata, spec, status
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        metadata.annotations = nil
        spec = try container.decodeIfPresent(JSONValue.self, forKey: .spec)
        status = try container.decodeIfPresent(JSONValue.self, forKey: .status)
    }
}

/// What of a pod decides which settings it has.
public struct InjectedPod: APIObject {
    public struct Spec: Decodable, Sendable {
        public struct Volume: Decodable, Sendable {
            public struct ConfigMap: Decodable, Sendable {
                public var name: String?
            }

            public var name: String?
            public var configMap: ConfigMap?
        }

        public var volumes: [Volume]?
    }

    public struct Status: Decodable, Sendable {
        public var phase: String?
    }

    public var metadata: ObjectMetadata
    public var spec: Spec?
    public var status: Status?

    public init(metadata: ObjectMetadata, spec: Spec?) {
        self.metadata = metadata
        self.spec = spec
    }

    private enum CodingKeys: CodingKey {
        case metadata, spec, status
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        metadata.annotations = nil
        spec = try container.decodeIfPresent(Spec.self, forKey: .spec)
        status = try container.decodeIfPresent(Status.self, forKey: .status)
    }

    /// The ConfigMap with the proxy's settings; nil for a pod without the sidecar, or that has ended.
    var settings: String? {
        guard status?.phase != "Succeeded", status?.phase != "Failed" else { return nil }
        return spec?.volumes?.first { $0.name == "postern-settings" }?.configMap?.name
    }

    /// Who made the pod, or the pod itself.
    var owner: OwnerReference? {
        if var owner = metadata.ownerReferences?.first(where: { $0.controller == true }) {
            owner.controller = nil
            return owner
        }
        guard let name = metadata.name, let uid = metadata.uid else { return nil }
        return OwnerReference(apiVersion: "v1", kind: "Pod", name: name, uid: uid)
    }
}

/// A ConfigMap with the settings of a namespace.
public struct SettingsMap: APIObject {
    public var metadata: ObjectMetadata
    public var data: [String: String]?

    var settings: String? { data?[Self.key] }

    static let key = "postern.yaml"
}

/// A ConfigMap that was written here, without what is in it, which is up to 1 MiB.
public struct WrittenMap: APIObject {
    public var metadata: ObjectMetadata
    let keys: [String]
    let digest: Int

    init(metadata: ObjectMetadata, data: [String: String]) {
        self.metadata = metadata
        keys = Array(data.keys)
        digest = Self.digest(data)
    }

    /// The hash has a seed that is this process's own, so that nobody can write another text with the same one.
    static func digest(_ data: [String: String]) -> Int { data.hashValue }

    private enum CodingKeys: CodingKey {
        case metadata, data
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        (metadata.annotations, metadata.labels) = (nil, nil)
        self.init(
            metadata: metadata, data: try container.decodeIfPresent([String: String].self, forKey: .data) ?? [:])
    }
}
