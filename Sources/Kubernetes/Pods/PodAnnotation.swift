import Settings

/// The annotations of a pod that say how the sidecar is added.
enum PodAnnotation: String, CaseIterable {
    /// `enabled` or `disabled`.
    case inject
    /// The mark of an injected pod: the version that did it.
    case injected
    /// The name of the ConfigMap with `postern.yaml`.
    case settings
    case image
    /// `redirect`, `cni` or `none`.
    case redirection
    /// `rewrite` or `keep`.
    case probes
    /// `spiffe-csi`, `workload-api-host`, `podcertificate` or `secret`.
    case identity
    /// The path of the Workload API's socket on the node.
    case identitySocket = "identity-socket"
    case identitySecret = "identity-secret"
    /// Who signs certificates of Kubernetes: `example.com/spiffe`.
    case identitySigner = "identity-signer"
    /// `ECDSAP256` and others.
    case identityKeyType = "identity-key-type"
    /// The name of a ClusterTrustBundle in place of those of the signer.
    case identityTrustBundle = "identity-trust-bundle"
    case drainDelay = "drain-delay"
    case drainTimeout = "drain-timeout"
    case skipInboundPorts = "skip-inbound-ports"
    case skipOutboundPorts = "skip-outbound-ports"
    case skipOutboundAddresses = "skip-outbound-addresses"
    /// The path of the proxy's seccomp profile below the kubelet's folder of profiles.
    case seccompProfile = "seccomp-profile"
    case cpuRequest = "cpu-request"
    case cpuLimit = "cpu-limit"
    case memoryRequest = "memory-request"
    case memoryLimit = "memory-limit"

    static let prefix = "postern.dev/"

    var name: String { Self.prefix + rawValue }
}

/// What people look for among the annotations, and what to do instead.
enum AbsentAnnotation: String {
    case policy
    case logLevel = "log-level"
    case opaquePorts = "opaque-ports"
    case serverFirstPorts = "server-first-ports"

    var advice: String {
        let settings = "give the pod a ConfigMap of its own in \(quoted(PodAnnotation.settings.name))"
        return switch self {
        case .policy: "routes name their policies in the settings: \(settings)"
        case .logLevel: "it is `log.level` of the settings: \(settings)"
        case .opaquePorts: "the proxy looks into no protocol, so that all ports are opaque"
        case .serverFirstPorts:
            "only a permissive listener waits for the client's bytes: it is `serverFirst` of the listener, "
                + settings
        }
    }
}

/// Who sends the pod's connections to the proxy.
public enum RedirectionChoice: String, CaseIterable, Sendable {
    /// Rules that an init container installs.
    case redirect
    /// Rules that a CNI plugin has installed before any container.
    case cni
    /// Nobody: programs name the proxy themselves.
    case none
}

/// Where the proxy's SVID comes from.
enum IdentitySource: String, CaseIterable {
    /// The Workload API's socket by the SPIFFE CSI driver.
    case csi = "spiffe-csi"
    /// The Workload API's socket in a folder of the node.
    case host = "workload-api-host"
    /// A certificate that Kubernetes requests for the pod (PodCertificateRequest, KEP-4317).
    case podCertificate = "podcertificate"
    /// PEM files in a Secret.
    case secret

    /// Why a source that others have is none here.
    static func absence(_ name: String) -> String? {
        switch name {
        case "service-account-token": "the proxy cannot exchange a token for an SVID, and no issuer takes one yet"
        case "pod-certificate", "podCertificate", "PodCertificate": "write `podcertificate`"
        case "files": "files come in a Secret: write `secret`"
        default: nil
        }
    }
}

/// The keys that the kubelet makes for a pod's certificate.
enum PodKeyType: String, CaseIterable {
    case p256 = "ECDSAP256"
    case p384 = "ECDSAP384"
    case p521 = "ECDSAP521"
    case ed25519 = "ED25519"
    case rsa3072 = "RSA3072"
    case rsa4096 = "RSA4096"
}
