import Settings

/// The manifests that put injector and controller into a cluster, rendered from the templates of the Helm chart.
public struct Installation {
    private let namespace: String
    private let values: ChartValues

    /// Throws if that is no name of a namespace.
    public init(namespace: String, values: ChartValues) throws(ChartFlaw) {
        guard namespace.isNamespaceName else { throw ChartFlaw("\(quoted(namespace)) is no name of a namespace") }
        self.namespace = namespace
        self.values = values
    }

    /// Documents of YAML, in the order in which they are to be created.
    public func manifests() throws(ChartFlaw) -> String {
        let root = Value.mapping([
            Value.Field("Values", values.root),
            Value.Field("Release", .mapping([Value.Field("Namespace", .text(namespace))])),
            Value.Field("Chart", .mapping([Value.Field("AppVersion", .text(Self.version))])),
        ])
        var documents: [String] = []
        do throws(TemplateFlaw) {
            for file in ChartFile.templates {
                documents.append(try Template(file.text, name: file.path).rendered(with: root))
            }
            // Behind the namespace, and before the controller.
            if values.isTrue("controller", "enabled") { documents.insert(ChartFile.policies.text, at: 1) }
        } catch {
            throw ChartFlaw(error.description)
        }
        return documents.map { $0.trimmingBlankLines() }.filter { !$0.isEmpty }.joined(separator: "\n---\n") + "\n"
    }

    /// The version that the chart is of.
    static var version: String { ChartFile.chart.root.value("appVersion")?.text ?? "" }
}

extension String {
    /// A DNS label (RFC 1123).
    var isNamespaceName: Bool { utf8.count <= 63 && !contains(".") && isObjectName }

    fileprivate func trimmingBlankLines() -> String {
        var text = self[...]
        while text.first?.isNewline == true { text.removeFirst() }
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
