/// Builds the node tree of a settings file, or reports flaws in its YAML.
///
/// The supported subset of YAML:
/// - one document per file, in UTF-8;
/// - anchors and aliases, each anchor once, within `nodesAtMost` after expansion;
/// - keys are scalars, none twice in a mapping;
/// - no merge keys (`<<`): a reader cannot see which value wins;
/// - no tags (`!!int`, `!mine`): the type of a value comes from its key.
struct NodeBuilder: ~Copyable {
    static let bytesAtMost = 1 << 20
    static let nodesAtMost = 100_000
    static let depthAtMost = 32

    private(set) var flaws = FlawList()
    private let file: String
    private var events: EventStream
    private var anchors: [String: Anchor] = [:]
    private var nodes = 0

    private enum Anchor {
        /// The anchored node is still being read: an alias to it would be recursive.
        case open(Position)
        case closed(Node, Position)
    }

    init(text: [UInt8], file: String) {
        self.file = file
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = text.starts(with: byteOrderMark) ? Array(text.dropFirst(byteOrderMark.count)) : text
        self.events = EventStream(text: body, file: file)
    }

    /// The root of the only document; nil if there is none or on a syntax error.
    mutating func build() -> Node? {
        do throws(SettingsFlaw) {
            guard case .documentStart = try events.next().event else { return nil }
            let (event, position) = try events.next()
            let root = try node(event, at: position, depth: 1)
            _ = try events.next()  // The end of the document.
            let (after, second) = try events.next()
            if case .documentStart = after {
                flaws.append(SettingsFlaw(.error, at: second, "a second document starts here; a file holds one"))
            }
            return root
        } catch {
            flaws.append(error)
            return nil
        }
    }

    private mutating func node(
        _ event: EventStream.Event, at position: Position, depth: Int
    ) throws(SettingsFlaw) -> Node {
        try count(1, at: position)
        guard depth <= Self.depthAtMost else {
            throw SettingsFlaw(.error, at: position, "nested more than \(Self.depthAtMost) levels deep")
        }
        switch event {
        case .alias(let anchor):
            return try expand(anchor, at: position)
        case .scalar(let scalar, let properties):
            return try anchored(properties, at: position) { _ throws(SettingsFlaw) in
                Node(content: .scalar(scalar), position: position, weight: 1)
            }
        case .sequenceStart(let properties):
            return try anchored(properties, at: position) { builder throws(SettingsFlaw) in
                try builder.sequence(at: position, depth: depth)
            }
        case .mappingStart(let properties):
            return try anchored(properties, at: position) { builder throws(SettingsFlaw) in
                try builder.mapping(at: position, depth: depth)
            }
        case .documentStart, .documentEnd, .streamEnd, .sequenceEnd, .mappingEnd:
            // libyaml enforces YAML's grammar, so the callers have consumed these events.
            preconditionFailure("an event out of place")
        }
    }

    private mutating func sequence(at position: Position, depth: Int) throws(SettingsFlaw) -> Node {
        var items: [Node] = []
        var weight = 1
        while true {
            let (event, itemPosition) = try events.next()
            if case .sequenceEnd = event {
                return Node(content: .sequence(items), position: position, weight: weight)
            }
            let item = try node(event, at: itemPosition, depth: depth + 1)
            weight += item.weight
            items.append(item)
        }
    }

    private mutating func mapping(at position: Position, depth: Int) throws(SettingsFlaw) -> Node {
        var mapping = Mapping()
        var firstPositions: [String: Position] = [:]
        var weight = 1
        while true {
            let (keyEvent, keyPosition) = try events.next()
            if case .mappingEnd = keyEvent {
                return Node(content: .mapping(mapping), position: position, weight: weight)
            }
            let key = try node(keyEvent, at: keyPosition, depth: depth + 1)
            let (valueEvent, valuePosition) = try events.next()
            let value = try node(valueEvent, at: valuePosition, depth: depth + 1)
            weight += key.weight + value.weight

            guard case .scalar(let name) = key.content, !name.isNull else {
                if case .flawed = key.content {} else { refuse("a key must be text", at: keyPosition) }
                mapping.isComplete = false
                continue
            }
            if name.text == "<<" && name.style == .plain {
                refuse(
                    "merge keys (`<<`) are not supported: write the keys out, or alias a whole value", at: keyPosition)
                mapping.isComplete = false
            } else if let first = firstPositions[name.text] {
                refuse(
                    "duplicate key \(quoted(name.text)); first given at line \(first.line), column \(first.column)",
                    at: keyPosition)
            } else {
                firstPositions[name.text] = keyPosition
                mapping.entries.append(Mapping.Entry(key: name.text, keyPosition: keyPosition, value: value))
            }
        }
    }

    /// Reads a node with `read`, records it under its anchor, and refuses its tag.
    private mutating func anchored(
        _ properties: EventStream.Properties, at position: Position,
        read: (inout NodeBuilder) throws(SettingsFlaw) -> Node
    ) throws(SettingsFlaw) -> Node {
        let isNew = properties.anchor.map { anchors[$0] == nil } ?? false
        if let anchor = properties.anchor {
            switch anchors[anchor] {
            case .open(let first), .closed(_, let first):
                refuse(
                    "anchor \(quoted("&" + anchor)) is already defined at line \(first.line), column \(first.column)",
                    at: position
                )
            case nil: anchors[anchor] = .open(position)
            }
        }
        var node = try read(&self)
        if let tag = properties.tag {
            refuse("tag \(quoted(tag)) is not supported: the key decides the type, so leave it out", at: position)
            node.content = .flawed
        }
        if isNew, let anchor = properties.anchor { anchors[anchor] = .closed(node, position) }
        return node
    }

    private mutating func expand(_ anchor: String, at position: Position) throws(SettingsFlaw) -> Node {
        switch anchors[anchor] {
        case .closed(let node, _):
            try count(node.weight - 1, at: position)
            return node
        case .open:
            refuse("alias \(quoted("*" + anchor)) stands inside the value it refers to", at: position)
        case nil:
            let isCheap = !flaws.isFull && anchors.count <= Self.anchorsToSuggestFrom
            let nearest = !isCheap ? nil : nearestName(to: anchor, among: anchors.keys.sorted())
            let suggestion = nearest.map { "; did you mean \(quoted("*" + $0))?" } ?? ""
            refuse(
                "no anchor \(quoted("&" + anchor)) before this alias\(suggestion) (text that starts with `*` needs quotes)",
                at: position)
        }
        return Node(content: .flawed, position: position, weight: 1)
    }

    private mutating func count(_ added: Int, at position: Position) throws(SettingsFlaw) {
        nodes += added
        guard nodes <= Self.nodesAtMost else {
            throw SettingsFlaw(.error, at: position, "more than \(Self.nodesAtMost) values, aliases expanded")
        }
    }

    /// Bounds the work of a suggestion, which compares with all of them.
    private static let anchorsToSuggestFrom = 256

    private mutating func refuse(_ message: String, at position: Position) {
        flaws.append(SettingsFlaw(.error, at: position, message))
    }
}
