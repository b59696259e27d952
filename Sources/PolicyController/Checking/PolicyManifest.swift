import KubernetesAPI
import Settings

/// A YAML or JSON text with objects, as kubectl would send them, and where their parts stand. Of limited size.
struct PolicyManifest {
    struct Document {
        let value: JSONValue
        /// By paths such as `spec.rules[0].name`.
        let places: [String: Position]

        /// Where a value stands, or else the nearest one that it would be in.
        func place(of path: String) -> Position? {
            var path = Substring(path)
            while true {
                if let place = places[String(path)] { return place }
                guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return places[""] }
                path = path[..<end]
            }
        }
    }

    let documents: [Document]

    init(_ text: [UInt8], file: String) throws(SettingsFlaw) {
        var reader = Reader(file: file, events: MarkedEvents(text: text, file: file))
        documents = try reader.documents()
    }
}

private struct Reader: ~Copyable {
    private let file: String
    private var events: MarkedEvents
    private var anchors: [String: (value: JSONValue, nodes: Int)] = [:]
    private var places: [String: Position] = [:]
    /// With those that aliases stand for.
    private var nodes = 0

    init(file: String, events: consuming MarkedEvents) {
        self.file = file
        self.events = events
    }

    mutating func documents() throws(SettingsFlaw) -> [PolicyManifest.Document] {
        var documents: [PolicyManifest.Document] = []
        while true {
            switch try events.next().kind {
            case .streamEnd: return documents
            case .documentStart:
                (anchors, places, nodes) = ([:], [:], 0)
                let value = try node(try events.next(), "", depth: 1)
                documents.append(PolicyManifest.Document(value: value, places: places))
            default: continue
            }
        }
    }

    private mutating func node(
        _ event: MarkedEvents.Event, _ path: String, depth: Int
    ) throws(SettingsFlaw) -> JSONValue {
        guard depth <= Self.depthAtMost else { throw flaw("nested more than \(Self.depthAtMost) levels deep", event) }
        places[path] = position(event)
        nodes += 1
        let before = nodes
        let value: JSONValue
        switch event.kind {
        case .alias(let anchor):
            guard let known = anchors[anchor] else { throw flaw("there is no anchor \(quoted(anchor))", event) }
            value = known.value
            nodes += known.nodes
        case .scalar(let text, let isPlain): value = isPlain && event.tag == nil ? Self.plain(text) : .text(text)
        case .sequenceStart: value = .list(try items(path, depth))
        case .mappingStart: value = .object(try members(path, depth))
        case .documentStart, .documentEnd, .streamEnd, .sequenceEnd, .mappingEnd:
            // libyaml enforces YAML's grammar, so the callers have consumed these events.
            preconditionFailure("an event out of place")
        }
        guard nodes <= Self.nodesAtMost else { throw flaw("more than \(Self.nodesAtMost) values", event) }
        if let anchor = event.anchor { anchors[anchor] = (value, nodes - before + 1) }
        return value
    }

    private mutating func items(_ path: String, _ depth: Int) throws(SettingsFlaw) -> [JSONValue] {
        var items: [JSONValue] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, "\(path)[\(items.count)]", depth: depth + 1))
        }
    }

    private mutating func members(_ path: String, _ depth: Int) throws(SettingsFlaw) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { return members }
            guard case .scalar(let key, _) = event.kind else { throw flaw("expected text as a key", event) }
            guard members[key] == nil else { throw flaw("\(quoted(key)) is here twice", event) }
            let inner = path.isEmpty ? key : "\(path).\(key)"
            members[key] = try node(try events.next(), inner, depth: depth + 1)
        }
    }

    /// As kubectl understands it, whose YAML is 1.1.
    private static func plain(_ text: String) -> JSONValue {
        switch text.lowercased() {
        case "", "~", "null": return .null
        case "true", "yes", "on", "y": return .boolean(true)
        case "false", "no", "off", "n": return .boolean(false)
        default: return Int(text).map { .integer($0) } ?? Double(text).map { .number($0) } ?? .text(text)
        }
    }

    private func position(_ event: MarkedEvents.Event) -> Position {
        Position(file: file, line: event.line, column: event.column)
    }

    private func flaw(_ message: String, _ event: MarkedEvents.Event) -> SettingsFlaw {
        SettingsFlaw(.error, at: position(event), message)
    }

    private static let nodesAtMost = 1_000_000
    private static let depthAtMost = 64
}
