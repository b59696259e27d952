import KubernetesAPI
import Settings

/// A settings file as a tree that can be changed and written anew, without comments. Scalars stay plain or quoted,
/// which tells numbers from text.
indirect enum YAMLTree: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let key: String
        var value: YAMLTree
    }

    case plain(String)
    case text(String)
    case list([YAMLTree])
    case mapping([Entry])

    /// - Parameter text: settings that have been read without a flaw, which are one document of bounded size.
    init(parsing text: [UInt8]) throws(SettingsFlaw) {
        var reader = Reader(MarkedEvents(text: text, file: ""))
        self = try reader.document()
    }

    /// Members in the order of `order`, others behind them by name.
    init(_ value: JSONValue, order: [String]) {
        switch value {
        case .null: self = .plain("null")
        case .boolean(let value): self = .plain("\(value)")
        case .integer(let number): self = .plain("\(number)")
        case .number(let number): self = .plain("\(number)")
        case .text(let text): self = .text(text)
        case .list(let values): self = .list(values.map { YAMLTree($0, order: order) })
        case .object(let members):
            let keys = members.keys.sorted {
                let (left, right) = (order.firstIndex(of: $0) ?? order.count, order.firstIndex(of: $1) ?? order.count)
                return (left, $0) < (right, $1)
            }
            self = .mapping(keys.map { Entry(key: $0, value: YAMLTree(members[$0] ?? .null, order: order)) })
        }
    }

    subscript(_ key: String) -> YAMLTree? {
        get { entries?.first { $0.key == key }?.value }
        set {
            guard var entries else { return }
            if let index = entries.firstIndex(where: { $0.key == key }) {
                if let newValue { entries[index].value = newValue } else { entries.remove(at: index) }
            } else if let newValue {
                entries.append(Entry(key: key, value: newValue))
            }
            self = .mapping(entries)
        }
    }

    var scalar: String? {
        switch self {
        case .plain(let text), .text(let text): text
        case .list, .mapping: nil
        }
    }

    var items: [YAMLTree]? { if case .list(let items) = self { items } else { nil } }
    var entries: [Entry]? { if case .mapping(let entries) = self { entries } else { nil } }
}

private struct Reader: ~Copyable {
    private var events: MarkedEvents
    private var anchors: [String: YAMLTree] = [:]

    init(_ events: consuming MarkedEvents) { self.events = events }

    mutating func document() throws(SettingsFlaw) -> YAMLTree {
        while true {
            let event = try events.next()
            switch event.kind {
            case .documentStart: return try node(try events.next())
            case .streamEnd: return .mapping([])
            default: continue
            }
        }
    }

    private mutating func node(_ event: MarkedEvents.Event) throws(SettingsFlaw) -> YAMLTree {
        var tree: YAMLTree
        switch event.kind {
        case .alias(let name): return anchors[name] ?? .plain("null")
        case .scalar(let text, let isPlain): tree = isPlain && !text.contains("\n") ? .plain(text) : .text(text)
        case .sequenceStart:
            var items: [YAMLTree] = []
            while true {
                let next = try events.next()
                if case .sequenceEnd = next.kind { break }
                items.append(try node(next))
            }
            tree = .list(items)
        case .mappingStart:
            var entries: [YAMLTree.Entry] = []
            while true {
                let next = try events.next()
                if case .mappingEnd = next.kind { break }
                let key = try node(next).scalar ?? ""
                entries.append(YAMLTree.Entry(key: key, value: try node(try events.next())))
            }
            tree = .mapping(entries)
        case .documentStart, .documentEnd, .streamEnd, .sequenceEnd, .mappingEnd:
            // libyaml enforces YAML's grammar, so the callers have consumed these events.
            preconditionFailure("an event out of place")
        }
        if let anchor = event.anchor { anchors[anchor] = tree }
        return tree
    }
}
