public import Policy

/// The workload whose policy is imported, and what its identities are called before and after.
public struct ImportTarget: Sendable {
    /// Its namespace; objects without one are taken to be in it, as `kubectl apply --namespace` takes them.
    public let namespace: String
    public let labels: KnownLabels
    /// The port that the application listens on. Without it, rules name the ports themselves.
    public let port: UInt16?
    /// What the pod calls that port.
    public let portName: String?
    public let identities: IdentityNaming
    /// Istio's root namespace, whose policies apply in all namespaces.
    public let rootNamespace: String
    /// Linkerd's `clusterNetworks`; empty if it is not known.
    public let clusterNetworks: [CIDR]

    public init(
        namespace: String, labels: KnownLabels, port: UInt16?, portName: String?, identities: IdentityNaming,
        rootNamespace: String = "istio-system", clusterNetworks: [CIDR] = []
    ) {
        self.namespace = namespace
        self.labels = labels
        self.port = port
        self.portName = portName
        self.identities = identities
        self.rootNamespace = rootNamespace
        self.clusterNetworks = clusterNetworks
    }
}

/// The labels of a pod, as far as they are known: `app=orders,!canary`.
public struct KnownLabels: Sendable {
    /// Nil: the pod has no label of this key.
    let values: [String: String?]

    /// Parses `app=orders,tier=web,!canary`, where `!canary` says that there is no such label; nil if it is none.
    public init?(parsing text: String) {
        var values: [String: String?] = [:]
        for part in text.split(separator: ",") {
            let part = part.filter { $0 != " " }
            let isAbsent = part.hasPrefix("!")
            let pair = part.dropFirst(isAbsent ? 1 : 0).split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == (isAbsent ? 1 : 2), let key = pair.first, !key.isEmpty, values[String(key)] == nil
            else { return nil }
            values.updateValue(isAbsent ? nil : String(pair[1]), forKey: String(key))
        }
        self.values = values
    }

    /// What is known of a key.
    func knowledge(of key: String) -> Knowledge {
        switch values[key] {
        case nil: .unknown
        case .some(nil): .absent
        case .some(.some(let value)): .value(value)
        }
    }

    enum Knowledge {
        case unknown, absent
        case value(String)
    }
}
