import System

/// The result of reading a file other than the settings: every flaw, and its contents if none is an error.
public struct FileOutcome<Contents: Sendable>: Sendable {
    /// Nil exactly if `flaws` holds an error.
    public var contents: Contents?
    public var flaws: [SettingsFlaw]
}

extension FileOutcome {
    /// Reads a YAML file of at most 1 MiB, as the settings are read.
    static func load(
        path: String, needs: String, _ read: (inout SettingsReader, Node) -> Contents?
    ) -> FileOutcome<Contents> {
        let start = Position(file: path, line: 1, column: 1)
        do throws(FileFlaw) {
            let text = try FileContents.read(path: path, limitBytes: Settings.bytesAtMost).bytes
            var builder = NodeBuilder(text: text, file: path)
            guard let root = builder.build() else {
                let empty = SettingsFlaw(.error, at: start, "the file is empty: it needs \(needs)")
                return FileOutcome(contents: nil, flaws: builder.flaws.isEmpty ? [empty] : builder.flaws.inOrder())
            }
            var reader = SettingsReader(
                file: path, sources: SourceMap(root, file: path), flaws: builder.flaws, endpointSocket: nil)
            let contents = read(&reader, root)
            let flaws = reader.flaws
            return FileOutcome(contents: flaws.hasErrors ? nil : contents, flaws: flaws.inOrder())
        } catch {
            return FileOutcome(contents: nil, flaws: [SettingsFlaw(.error, at: start, error.settingsMessage)])
        }
    }
}

extension Guardrail {
    /// Reads and checks a file of guardrails.
    public static func load(path: String) -> FileOutcome<[Guardrail]> {
        .load(path: path, needs: "a list of \(GuardrailFileKeys.guardrails)") { $0.guardrails($1) }
    }
}

extension PolicyCases {
    /// Reads and checks a file of policy tests.
    public static func load(path: String) -> FileOutcome<PolicyCases> {
        .load(path: path, needs: "a list of \(PolicyCaseFileKeys.cases)") { $0.policyCases($1) }
    }
}
