public import Policy

/// The workload whose policy is imported, and what its identities are called before and after.
public struct ImportTarget: Sendable {
    /// Its namespace; objects without one are taken to be in it, as `kubectl apply --namespace` takes them.
    public let namespace: String
    public let labels: KnownLabels
    /// What the ports of rules are to become.
    public let ports: ImportPorts
    /// What the pod calls that port.
    public let portName: String?
    public let identities: IdentityNaming
    /// Istio's root namespace, whose policies apply in all namespaces; nil if it is not known.
    public let rootNamespace: String?
    public let revisions: KnownRevisions
    /// Linkerd's `clusterNetworks`; empty if it is not known.
    public let clusterNetworks: [CIDR]

    public init(
        namespace: String, labels: KnownLabels, ports: ImportPorts, portName: String?, identities: IdentityNaming,
        rootNamespace: String? = nil, revisions: KnownRevisions = KnownRevisions(), clusterNetworks: [CIDR] = []
    ) {
        self.namespace = namespace
        self.labels = labels
        self.ports = ports
        self.portName = portName
        self.identities = identities
        self.rootNamespace = rootNamespace
        self.revisions = revisions
        self.clusterNetworks = clusterNetworks
    }

    /// The port of the application that the policy is for, if it is for one.
    var port: UInt16? {
        guard case .one(let port) = ports else { return nil }
        return port
    }
}

/// Which ports of the application a policy is for.
///
/// Policies of a mesh name the ports of the application. Clients connect to those only through a transparent listener;
/// at any other, Postern compares the listener's own port.
public enum ImportPorts: Sendable {
    /// All, and rules that depend on ports are refused.
    case unknown
    /// One port of the application: rules for others are left out, and none names a port.
    case one(UInt16)
    /// All, behind a transparent listener: rules name the ports themselves.
    case transparent
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

/// The revisions of Istio's control plane and their tags, as far as it is known which of them the workload has.
public struct KnownRevisions: Sendable {
    private var isOwn: [String: Bool] = [:]

    public init() {}

    /// Parses `1-29,prod,!canary`, where `!canary` says that the workload's has neither that name nor that tag; nil if
    /// it is none.
    public init?(parsing text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let part = part.filter { $0 != " " }
            let isOther = part.hasPrefix("!")
            let name = String(part.dropFirst(isOther ? 1 : 0))
            guard name.isName, isOwn.updateValue(!isOther, forKey: name) == nil else { return nil }
        }
    }

    /// Whether a revision or tag is the workload's; nil if that is not known.
    func isOwn(_ name: String) -> Bool? { isOwn[name] }
}
