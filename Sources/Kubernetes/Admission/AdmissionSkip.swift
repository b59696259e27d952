/// Why a review's object is allowed as it is.
public enum AdmissionSkip: Hashable, Sendable {
    case pod(SkipReason)
    case notAPod
    /// An operation that changes no containers.
    case operation(String)
    /// Containers that are added to an injected pod, none of them as the proxy's user.
    case ephemeralContainers

    /// A word for metrics, one of few.
    public var code: String {
        switch self {
        case .pod(let reason): reason.code
        case .notAPod: "not-a-pod"
        case .operation: "operation"
        case .ephemeralContainers: "ephemeral-containers"
        }
    }
}

extension AdmissionSkip: CustomStringConvertible {
    public var description: String {
        switch self {
        case .pod(let reason): reason.description
        case .notAPod: "it is no pod"
        case .operation(let name): "\(name) changes no containers"
        case .ephemeralContainers: "its ephemeral containers are other users than the proxy"
        }
    }
}
