public import Policy
import Settings

/// The manifests of a namespace whose pods get a sidecar: its label, and the settings of its proxies.
public struct Enrolment {
    /// Where the identities of its pods come from.
    public enum Identity: String, CaseIterable, Sendable {
        /// The SPIFFE CSI driver.
        case csi = "spiffe-csi"
        /// A Secret with `tls.crt`, `tls.key` and `ca.crt`.
        case secret
    }

    private let values: Value

    /// - Parameters:
    ///   - trustDomain: of the pods' SPIFFE IDs.
    ///   - destinations: where the pods and services of the mesh are; connections there are mutual TLS.
    ///   - ports: of these services.
    ///
    /// Throws if the name is none of a namespace, or there are no destinations or ports.
    public init(
        namespace: String, trustDomain: String, destinations: [CIDR], ports: [PortRange], identity: Identity
    ) throws(ChartFlaw) {
        guard namespace.isNamespaceName else { throw ChartFlaw("\(quoted(namespace)) is no name of a namespace") }
        guard !destinations.isEmpty, !ports.isEmpty else { throw ChartFlaw("no destinations, or no ports of them") }
        values = .mapping([
            Value.Field("name", .text(namespace)), Value.Field("trustDomain", .text(trustDomain)),
            Value.Field("destinations", .text(Value.list(destinations.map { .text($0.description) }).flow)),
            Value.Field("ports", .text(Value.list(ports.map { .plain($0.description) }).flow)),
            Value.Field("identity", .text(identity.rawValue)),
        ])
    }

    public func manifests() throws(ChartFlaw) -> String {
        do throws(TemplateFlaw) {
            let text = String(decoding: PackageResources.enrolment_yaml, as: UTF8.self)
            return try Template(text, name: "enrolment.yaml").rendered(with: .mapping([Value.Field("Values", values)]))
        } catch {
            throw ChartFlaw(error.description)
        }
    }
}
