import Policy
import Settings

/// Makes a policy of Postern of those of Linkerd or Istio that apply to one workload.
///
/// It fails closed. A policy that may be for the workload and cannot be expressed exactly is refused with its place, or
/// made narrower with a note: what is imported never allows what the source does not. Identities are those of service
/// accounts (``IdentityNaming``), and only these are ever let in.
public struct PolicyImport: Sendable {
    /// Larger texts are refused.
    public static let bytesAtMost = Manifest.bytesAtMost

    public let target: ImportTarget
    /// Of the policy that is made.
    public let name: String

    /// Nil if the policy cannot have that name, or the workload that namespace.
    public init?(target: ImportTarget, name: String) {
        guard name.isDottedName, name.utf8.count <= 128, target.namespace.isName, target.rootNamespace?.isName != false
        else {
            return nil
        }
        self.target = target
        self.name = name
    }

    /// Reads YAML or JSON with any number of documents. Throws every flaw, and then nothing is imported.
    public func policy(_ text: [UInt8], file: String) throws(PolicyImportRefusal) -> ImportedPolicy {
        var (istio, linkerd) = (IstioPolicies(target: target), LinkerdPolicies(target: target))
        var flaws: [SettingsFlaw] = []
        let start = Position(file: file, line: 1, column: 1)
        let manifest: Manifest
        let objects: [PolicyObject]
        do throws(SettingsFlaw) {
            manifest = try Manifest(JSONSource.readable(text), file: file)
            guard manifest.expandedNodes <= Manifest.nodesAtMost else {
                throw SettingsFlaw(
                    .error, at: start, "aliases stand for more than \(Manifest.nodesAtMost) values: write them out")
            }
            objects = try Self.objects(manifest, namespace: target.namespace)
        } catch {
            throw PolicyImportRefusal(flaws: [error])
        }
        // What an alias stands for may be in an object that is passed over.
        defer { withExtendedLifetime(manifest) {} }
        var seen: Set<String> = []
        for object in objects where flaws.count < Self.flawsAtMost {
            do throws(SettingsFlaw) {
                // Of two with one name the cluster has one, and which is not known.
                guard seen.insert("\(object.group)/\(object.description)").inserted else {
                    throw object.flaw("a second \(object.description): leave one out")
                }
                if object.group == PolicyObject.istio {
                    try istio.add(object)
                } else {
                    try linkerd.add(object)
                }
            } catch {
                flaws.append(error)
            }
        }
        guard flaws.isEmpty else { throw PolicyImportRefusal(flaws: flaws) }
        do throws(SettingsFlaw) {
            return try compile(istio, linkerd, at: start)
        } catch {
            throw PolicyImportRefusal(flaws: [error])
        }
    }

    private static func objects(
        _ manifest: Manifest, namespace: String
    ) throws(SettingsFlaw) -> [PolicyObject] {
        var found: [PolicyObject] = []
        for document in manifest.documents {
            found += try PolicyObject.all(in: document, file: manifest.source.file, namespace: namespace)
        }
        return found
    }

    private func compile(
        _ istio: IstioPolicies, _ linkerd: LinkerdPolicies, at start: Position
    ) throws(SettingsFlaw) -> ImportedPolicy {
        var linkerd = linkerd
        switch (istio.apply, linkerd.apply) {
        case (true, true):
            throw SettingsFlaw(
                .error, at: start, "policies of both Istio and Linkerd are for the workload: import those of one mesh")
        case (false, false):
            throw SettingsFlaw(
                .error, at: start,
                "no policy of Istio or Linkerd is for the workload, which by default lets everyone in: check "
                    + "`--namespace` and `--labels`, or write a policy by hand")
        case (true, false):
            let (rules, notes) = try istio.compiled(at: start)
            return try write(rules, mesh: "Istio", mode: .enforce, notes: linkerd.notes + notes, at: start)
        case (false, true):
            let (rules, mode, notes) = try linkerd.compiled(at: start)
            return try write(rules, mesh: "Linkerd", mode: mode, notes: istio.notes + notes, at: start)
        }
    }

    private func write(
        _ rules: [RuleCompiler.Result], mesh: String, mode: EnforcementMode, notes: [SettingsFlaw],
        at start: Position
    ) throws(SettingsFlaw) -> ImportedPolicy {
        var notes = notes
        if rules.isEmpty, mode == .enforce {
            let message = "nobody is allowed: nothing that applies to the workload allows anybody"
            notes.append(SettingsFlaw(.warning, at: start, message))
        }
        var writer = PolicyWriter(target: target, name: name, mesh: mesh, mode: mode)
        for rule in rules { try writer.add(rule) }
        let imported = writer.finished(notes: notes)
        try imported.requireReadable(at: start)
        return imported
    }

    private static let flawsAtMost = 100
}
