/// Why a workload is left as it is.
public enum SkipReason: Hashable, Sendable {
    case disabled
    case alreadyInjected(version: String)
    case notInjected
    case hostNetwork
    case windows
    case noPodTemplate
    case unknownKind
    case noContainers

    /// A word for metrics.
    public var code: String {
        switch self {
        case .disabled: "disabled"
        case .alreadyInjected: "already-injected"
        case .notInjected: "not-injected"
        case .hostNetwork: "host-network"
        case .windows: "windows"
        case .noPodTemplate: "no-pod-template"
        case .unknownKind: "unknown-kind"
        case .noContainers: "no-containers"
        }
    }
}

extension SkipReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .disabled: "postern.dev/inject is disabled"
        case .alreadyInjected(let version): "it is injected already, by version \(version)"
        case .notInjected: "it is not injected"
        case .hostNetwork: "hostNetwork: the rules would be those of the node"
        case .windows: "it runs on Windows"
        case .noPodTemplate: "it has no pod template"
        case .unknownKind: "it has a pod template, but its kind is not known"
        case .noContainers: "it has no containers"
        }
    }
}
