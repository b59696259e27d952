import Settings

/// A file of the Helm chart, which is a folder of this module and lies in the program.
public struct ChartFile: Sendable {
    /// From the chart's folder.
    public let path: String
    public let bytes: [UInt8]

    /// All of them, in the order in which the objects are created.
    public static let all = [
        chart, values, schema, notes, namespace, injectorAccess, injectorCertificate, injector,
        policies, controllerAccess, controller, webhook,
    ]

    static let chart = ChartFile(path: "Chart.yaml", bytes: PackageResources.Chart_yaml)
    static let values = ChartFile(path: "values.yaml", bytes: PackageResources.values_yaml)
    static let schema = ChartFile(path: "values.schema.json", bytes: PackageResources.values_schema_json)
    /// Those whose templates have objects.
    static let templates = all.filter { $0.path.hasPrefix("templates/") && $0.path.hasSuffix(".yaml") }

    /// The CustomResourceDefinition of policies, which Helm installs as it is.
    static let policies = ChartFile(
        path: "crds/posternpolicies.yaml", bytes: PackageResources.posternpolicies_yaml)

    private static let notes = ChartFile(path: "templates/NOTES.txt", bytes: PackageResources.NOTES_txt)
    private static let namespace = template("namespace.yaml", PackageResources.namespace_yaml)
    private static let injectorAccess = template("injector-rbac.yaml", PackageResources.injector_rbac_yaml)
    private static let injectorCertificate = template(
        "injector-certificate.yaml", PackageResources.injector_certificate_yaml)
    private static let injector = template("injector.yaml", PackageResources.injector_yaml)
    private static let controllerAccess = template("controller-rbac.yaml", PackageResources.controller_rbac_yaml)
    private static let controller = template("controller.yaml", PackageResources.controller_yaml)
    private static let webhook = template("webhook.yaml", PackageResources.webhook_yaml)

    private static func template(_ name: String, _ bytes: [UInt8]) -> ChartFile {
        ChartFile(path: "templates/\(name)", bytes: bytes)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The value that it is, as YAML. The files are this module's own, and tests read all of them.
    var root: SourceNode {
        do throws(SettingsFlaw) {
            guard let document = try Manifest(bytes, file: path).documents.first else {
                preconditionFailure("\(path) is empty")
            }
            return document.root
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
