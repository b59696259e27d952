public import Settings

/// What the templates of the chart are rendered with: its defaults, and what replaces them.
public struct ChartValues: Sendable {
    private(set) var root: Value

    /// The defaults, with a namespace of their own, which Helm would make.
    public init() {
        root = Self.defaults
        root.merge(.mapping([Value.Field("namespace", .mapping([Value.Field("create", .plain("true"))]))]))
    }

    /// Replaces values by those of a file of values, as Helm does: mappings key by key, everything else as a whole.
    public mutating func merge(_ text: [UInt8], file: String) throws(SettingsFlaw) {
        let manifest = try Manifest(text, file: file)
        guard let document = manifest.documents.first else { return }
        if manifest.documents.count > 1 {
            let root = manifest.documents[1].root
            throw SettingsFlaw(
                .error, at: Position(file: file, line: root.line, column: root.column), "a second document")
        }
        root.merge(try Self.schema.read(document.root, in: file))
    }

    /// Replaces one value: `injector.replicas=3`.
    public mutating func set(_ assignment: String) throws(ChartFlaw) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ChartFlaw("expected KEY=VALUE, found \(quoted(assignment))")
        }
        let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        do throws(ChartFlaw) {
            root.merge(try Self.schema.value(at: path[...], parts[1]))
        } catch {
            throw ChartFlaw("\(quoted(parts[0])): \(error)")
        }
    }

    /// Whether a value is `true`.
    func isTrue(_ path: String...) -> Bool {
        guard case .plain("true")? = root.value(at: path) else { return false }
        return true
    }

    // MARK: Private

    private static var defaults: Value {
        do throws(SettingsFlaw) {
            return try schema.read(ChartFile.values.root, in: ChartFile.values.path)
        } catch {
            preconditionFailure("the chart's own values: \(error)")
        }
    }

    private static var schema: ValueSchema { ValueSchema(ChartFile.schema.root) }
}

/// Why values, or what is asked of the chart, are refused.
public struct ChartFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension Value {
    /// Takes over the fields of another mapping, and those of mappings in it.
    fileprivate mutating func merge(_ other: Value) {
        guard case .mapping(var fields) = self, case .mapping(let changes) = other else {
            self = other
            return
        }
        for change in changes {
            if let index = fields.firstIndex(where: { $0.key == change.key }) {
                var value = fields[index].value
                value.merge(change.value)
                fields[index] = Field(change.key, value)
            } else {
                fields.append(change)
            }
        }
        self = .mapping(fields)
    }
}
