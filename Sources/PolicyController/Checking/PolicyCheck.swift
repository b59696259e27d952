import KubernetesAPI
public import Settings

/// Policies of manifests, checked before they are applied.
public struct PolicyCheck {
    /// How many policies there are; other objects are passed over.
    public private(set) var count = 0
    /// What is wrong with them, as the controller would say it.
    public private(set) var flaws: [SettingsFlaw] = []
    /// The namespaces that they name.
    public private(set) var namespaces: Set<String> = []
    private var policies: [(namespace: String?, policy: CheckedPolicy)] = []

    public init() {}

    /// Takes the policies of a text too.
    public mutating func read(_ text: [UInt8], file: String) {
        do throws(SettingsFlaw) {
            for document in try PolicyManifest(text, file: file).documents {
                for path in Self.paths(document.value) { read(document, path, file) }
            }
        } catch {
            flaws.append(error)
        }
    }

    /// What the settings of pods with these labels would be, all of whose policies are these.
    ///
    /// - Parameter namespace: only policies that name this one, or none; nil for all.
    /// - Returns: the text, and what there is to say of policies that have no effect, or not the whole effect.
    public func settings(
        _ base: [UInt8], labels: [String: String], namespace: String?
    ) throws(PolicyProblem) -> (text: String, remarks: [String]) {
        var pod = ObjectMetadata()
        pod.labels = labels
        let selected = policies.filter { $0.namespace == nil || namespace == nil || $0.namespace == namespace }
            .compactMap { SelectedPolicy($0.policy, digest: 0, pods: [pod]) }
        let map = SettingsMap(
            metadata: ObjectMetadata(), data: [SettingsMap.key: String(decoding: base, as: UTF8.self)])
        let compilation = Compilation(base: map, baseName: "postern-settings", policies: selected)
        guard let text = compilation.text else { throw PolicyProblem("settings", compilation.problem ?? "") }
        return (text, compilation.remarks.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
    }

    // MARK: Private

    /// The paths of policies in a document, which may be a list.
    private static func paths(_ value: JSONValue) -> [String] {
        guard let items = value["items"]?.list else { return isPolicy(value) ? [""] : [] }
        return items.indices.filter { isPolicy(items[$0]) }.map { "items[\($0)]" }
    }

    private static func isPolicy(_ value: JSONValue) -> Bool {
        value["kind"]?.text == "PosternPolicy"
            && value["apiVersion"]?.text?.hasPrefix(PosternPolicy.resource.group + "/") == true
    }

    private mutating func read(_ document: PolicyManifest.Document, _ path: String, _ file: String) {
        count += 1
        let index = path.dropFirst("items[".count).dropLast()
        let value = Int(index).flatMap { document.value["items"]?.list?[$0] } ?? document.value
        func flaw(_ severity: SettingsFlaw.Severity, _ problem: PolicyProblem) -> SettingsFlaw {
            let full = path.isEmpty ? problem.path : "\(path).\(problem.path)"
            let place = document.place(of: full) ?? Position(file: file, line: 1, column: 1)
            return SettingsFlaw(severity, at: place, "\(problem)")
        }
        let version = "\(PosternPolicy.resource.group)/\(PosternPolicy.resource.version)"
        if value["apiVersion"]?.text != version {
            flaws.append(flaw(.error, PolicyProblem("apiVersion", "expected \(version)")))
        }
        let name = value["metadata"]?["name"]?.text ?? ""
        if !Self.isName(name) {
            let problem = "expected a name of lower-case letters, digits, `-` and `.`, such as `orders`"
            flaws.append(flaw(.error, PolicyProblem("metadata.name", problem)))
        }
        let namespace = value["metadata"]?["namespace"]?.text
        if let namespace { namespaces.insert(namespace) }
        do throws(PolicyProblems) {
            // Rules have the name in theirs: here one that is none would be said twice.
            let policy = try CheckedPolicy(name: Self.isName(name) ? name : "policy", spec: value["spec"])
            policies.append((namespace, policy))
            flaws += policy.warnings.map { flaw(.warning, $0) }
        } catch {
            flaws += error.list.map { flaw(.error, $0) }
        }
    }

    /// RFC 1123, as Kubernetes has it.
    private static func isName(_ text: String) -> Bool {
        func isEnd(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                guard let first = label.utf8.first, let last = label.utf8.last else { return false }
                return isEnd(first) && isEnd(last) && label.utf8.allSatisfy { isEnd($0) || $0 == UInt8(ascii: "-") }
            }
    }
}
