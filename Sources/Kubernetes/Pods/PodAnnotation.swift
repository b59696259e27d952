/// The annotations of a pod that say how the sidecar is added.
enum PodAnnotation: String, CaseIterable {
    /// `enabled` or `disabled`.
    case inject
    /// The mark of an injected pod: the version that did it.
    case injected
    /// The name of the ConfigMap with `postern.yaml`.
    case settings
    case image
    /// `redirect` or `none`.
    case redirection
    case skipInboundPorts = "skip-inbound-ports"
    case skipOutboundPorts = "skip-outbound-ports"
    case skipOutboundAddresses = "skip-outbound-addresses"
    case cpuRequest = "cpu-request"
    case cpuLimit = "cpu-limit"
    case memoryRequest = "memory-request"
    case memoryLimit = "memory-limit"

    static let prefix = "postern.dev/"

    var name: String { Self.prefix + rawValue }
}
