import Settings

/// The documents of a YAML text as trees of ``SourceNode``.
struct Manifest {
    static let bytesAtMost = 16 << 20
    static let nodesAtMost = 1_000_000
    static let depthAtMost = 128

    struct Document {
        let root: SourceNode
        /// The anchors that an alias names.
        let aliased: Set<String>
    }

    let source: SourceText
    let documents: [Document]
    /// How many values there are with all aliases expanded, or more than ``nodesAtMost``.
    let expandedNodes: Int

    init(_ text: [UInt8], file: String) throws(SettingsFlaw) {
        guard text.count <= Self.bytesAtMost else {
            throw SettingsFlaw(
                .error, at: Position(file: file, line: 1, column: 1), "more than \(Self.bytesAtMost >> 20) MiB")
        }
        source = SourceText(bytes: text, file: file)
        do throws(SettingsFlaw) {
            (documents, expandedNodes) = try Self.read(MarkedEvents(text: text, file: file), file: file)
        } catch {
            // Of JSON it may be an escape that a parser of YAML does not know.
            guard let pairs = SurrogatePairs(in: text) else { throw error }
            let events = MarkedEvents(text: text, parsing: pairs.decoded, wide: pairs.places, file: file)
            (documents, expandedNodes) = try Self.read(events, file: file)
        }
    }

    private static func read(
        _ events: consuming MarkedEvents, file: String
    ) throws(SettingsFlaw) -> ([Document], expanded: Int) {
        var reader = ManifestReader(events, file: file)
        let documents = try reader.read()
        return (documents, reader.expanded)
    }
}

/// Builds the trees from libyaml's events.
private struct ManifestReader: ~Copyable {
    private let file: String
    private var events: MarkedEvents
    private var nodes = 0
    private(set) var expanded = 0
    private var expandedSizes: [String: Int] = [:]
    private var anchors: [String: SourceNode] = [:]
    private var aliased: Set<String> = []

    init(_ events: consuming MarkedEvents, file: String) {
        self.file = file
        self.events = events
    }

    mutating func read() throws(SettingsFlaw) -> [Manifest.Document] {
        var documents: [Manifest.Document] = []
        while true {
            switch try events.next().kind {
            case .streamEnd: return documents
            case .documentStart:
                (anchors, aliased, expandedSizes) = ([:], [], [:])
                let root = try node(try events.next(), depth: 1)
                documents.append(Manifest.Document(root: root, aliased: aliased))
            default: continue
            }
        }
    }

    private mutating func node(_ event: MarkedEvents.Event, depth: Int) throws(SettingsFlaw) -> SourceNode {
        nodes += 1
        guard nodes <= Manifest.nodesAtMost else { throw flaw("more than \(Manifest.nodesAtMost) values", event) }
        guard depth <= Manifest.depthAtMost else {
            throw flaw("nested more than \(Manifest.depthAtMost) levels deep", event)
        }
        let before = expanded
        if case .alias = event.kind {} else { expanded += 1 }
        let node: SourceNode
        switch event.kind {
        case .alias(let name):
            guard let target = anchors[name] else {
                throw flaw("the alias `*\(name)` has no anchor before it, or is a part of it", event)
            }
            aliased.insert(name)
            // Aliases of aliases double each time: beyond the limit it is not counted.
            if expanded <= Manifest.nodesAtMost { expanded += expandedSizes[name] ?? 1 }
            return SourceNode(.alias(name), event, end: event.end, target: target)
        case .scalar(let text, let isPlain):
            node = SourceNode(.scalar(text, isPlain: isPlain), event, end: event.end)
        case .sequenceStart(let isFlow):
            node = try sequence(event, isFlow: isFlow, depth: depth)
        case .mappingStart(let isFlow):
            node = try mapping(event, isFlow: isFlow, depth: depth)
        case .documentStart, .documentEnd, .streamEnd, .sequenceEnd, .mappingEnd:
            // libyaml enforces YAML's grammar, so the callers have consumed these events.
            preconditionFailure("an event out of place")
        }
        // Only from here on, so that an alias inside does not find it.
        if let anchor = event.anchor { (anchors[anchor], expandedSizes[anchor]) = (node, expanded - before) }
        return node
    }

    private mutating func sequence(
        _ start: MarkedEvents.Event, isFlow: Bool, depth: Int
    ) throws(SettingsFlaw) -> SourceNode {
        var items: [SourceNode] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind {
                // The end of a block is where the next token begins, behind comments that are no part of it.
                let end = isFlow ? event.end : items.last?.end ?? start.end
                return SourceNode(.sequence(items), start, isFlow: isFlow, end: end)
            }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func mapping(
        _ start: MarkedEvents.Event, isFlow: Bool, depth: Int
    ) throws(SettingsFlaw) -> SourceNode {
        var entries: [SourceNode.Entry] = []
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind {
                let end = isFlow ? event.end : entries.last?.value.end ?? start.end
                return SourceNode(.mapping(entries), start, isFlow: isFlow, end: end)
            }
            let key = try node(event, depth: depth + 1)
            // By a tag a key may stand for other text than it has (`!!binary`), or for many keys (`!!merge`).
            guard key.resolved.hasTextTag else {
                throw flaw("a key with a tag, by which it may be another key: write it without", event)
            }
            entries.append(SourceNode.Entry(key: key, value: try node(try events.next(), depth: depth + 1)))
        }
    }

    private func flaw(_ message: String, _ event: MarkedEvents.Event) -> SettingsFlaw {
        SettingsFlaw(.error, at: Position(file: file, line: event.line, column: event.column), message)
    }
}
