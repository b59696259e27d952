/// A field of a container that holds a probe.
enum ProbeKind: String, CaseIterable {
    case startup = "startupProbe"
    case readiness = "readinessProbe"
    case liveness = "livenessProbe"

    /// The last part of the path at the admin endpoint.
    var pathEnd: String {
        switch self {
        case .startup: "startupz"
        case .readiness: "readyz"
        case .liveness: "livez"
        }
    }

    /// What the kubelet asks over the network.
    static let handlers = ["httpGet", "tcpSocket", "grpc"]
}
