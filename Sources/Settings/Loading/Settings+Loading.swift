import System

extension Settings {
    /// The size limit of a settings file.
    public static var bytesAtMost: Int { NodeBuilder.bytesAtMost }

    /// Reads and checks a settings file of at most 1 MiB; opens nothing that it names.
    ///
    /// YAML anchors and aliases are allowed; merge keys, tags, duplicate keys and further documents are refused. The
    /// type of a value is decided by its key: `name: 1` is text, `workers: "1"` is an error, and so is `yes` for
    /// `true`.
    ///
    /// - Parameter endpointSocket: the value of SPIFFE_ENDPOINT_SOCKET, if set; used if the file names no identity.
    public static func load(path: String, endpointSocket: String? = nil) -> LoadOutcome {
        do throws(FileFlaw) {
            let text = try FileContents.read(path: path, limitBytes: NodeBuilder.bytesAtMost).bytes
            return parse(text: text, file: path, endpointSocket: endpointSocket)
        } catch {
            return .failure(at: Position(file: path, line: 1, column: 1), error.settingsMessage)
        }
    }

    /// Checks the text of a settings file; `file` is its path, for messages and for the relative paths in it.
    public static func parse(text: [UInt8], file: String, endpointSocket: String? = nil) -> LoadOutcome {
        let start = Position(file: file, line: 1, column: 1)
        guard text.count <= NodeBuilder.bytesAtMost else {
            return .failure(at: start, FileFlaw.tooLarge(limitBytes: NodeBuilder.bytesAtMost).settingsMessage)
        }
        var builder = NodeBuilder(text: text, file: file)
        guard let root = builder.build() else {
            guard builder.flaws.isEmpty else { return .failure(builder.flaws.inOrder(), in: file) }
            return .failure(
                at: start, "the file is empty: it needs at least \(RootKeys.identity) and \(RootKeys.listeners)")
        }
        let sources = SourceMap(root, file: file)
        var reader = SettingsReader(
            file: file, sources: sources, flaws: builder.flaws, endpointSocket: endpointSocket)
        let settings = reader.settings(root)
        return LoadOutcome(
            settings: settings, flaws: reader.flaws.inOrder(), sources: sources,
            policies: PolicySources(root, file: file))
    }
}

/// The result of reading a settings file: every flaw, in the order of the file, and the settings if none is an error.
public struct LoadOutcome: Sendable {
    /// Nil exactly if `flaws` holds an error.
    public var settings: Settings?
    public var flaws: [SettingsFlaw]

    /// Positions of the settings in the file.
    public var sources: SourceMap
    public var policies: PolicySources
}

extension LoadOutcome {
    fileprivate static func failure(at position: Position, _ message: String) -> LoadOutcome {
        failure([SettingsFlaw(.error, at: position, message)], in: position.file)
    }

    fileprivate static func failure(_ flaws: [SettingsFlaw], in file: String) -> LoadOutcome {
        LoadOutcome(
            settings: nil, flaws: flaws, sources: SourceMap(nil, file: file), policies: PolicySources(nil, file: file))
    }
}
