/// The URL path of a collection of objects, or of one of them.
public struct ObjectPath: Hashable, Sendable {
    /// Group, version and plural, such as `configmaps` of the core group `""`, `v1`.
    public struct Resource: Hashable, Sendable {
        public let group: String
        public let version: String
        public let plural: String

        public init(group: String, version: String, plural: String) {
            self.group = group
            self.version = version
            self.plural = plural
        }

        public static let configMaps = Resource(group: "", version: "v1", plural: "configmaps")
        public static let secrets = Resource(group: "", version: "v1", plural: "secrets")
        public static let pods = Resource(group: "", version: "v1", plural: "pods")
        public static let mutatingWebhooks = Resource(
            group: "admissionregistration.k8s.io", version: "v1", plural: "mutatingwebhookconfigurations")
    }

    public let resource: Resource
    /// Nil: of an object without a namespace, or of the objects of all namespaces.
    public let namespace: String?
    /// Nil: the collection.
    public let name: String?
    /// Such as `status`.
    public let subresource: String?

    public init(_ resource: Resource, namespace: String? = nil, name: String? = nil, subresource: String? = nil) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
    }

    var text: String {
        var parts = resource.group.isEmpty ? ["api"] : ["apis", resource.group]
        parts.append(resource.version)
        if let namespace { parts += ["namespaces", namespace] }
        parts.append(resource.plural)
        if let name { parts.append(name) }
        if let subresource { parts.append(subresource) }
        return "/" + parts.map(Self.encoded).joined(separator: "/")
    }

    /// Percent-encoded (RFC 3986 2.1), all but unreserved characters: a name cannot leave its place in the path.
    static func encoded(_ text: String) -> String {
        // Dots alone would be steps to other folders.
        if text == "." || text == ".." { return text.map { _ in "%2E" }.joined() }
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = Array("0123456789ABCDEF")
                encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return encoded
    }
}
