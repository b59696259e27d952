import PosternTesting

/// Writes pods in random layouts: block or flow style, indentation, quotes, comments, order of keys, nulls.
struct ManifestGenerator {
    private indirect enum Tree {
        case scalar(String)
        /// In block style; between braces it is the second one.
        case empty(String, String)
        case list([Tree])
        case mapping([(String, Tree)])
    }

    private var random: SeededGenerator
    private var lineBreak = "\n"

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func text() -> String {
        lineBreak = random.chance(25) ? "\r\n" : "\n"
        var text = ""
        for _ in 0...Int.random(in: 0...2, using: &random) {
            let root = object()
            if random.chance(15) {
                text += "---" + lineBreak + flow(root) + lineBreak
            } else {
                text += "---" + lineBreak + block(root, indent: 0)
            }
        }
        if random.chance(20), text.hasSuffix(lineBreak) { text.removeLast() }
        return text
    }

    private mutating func object() -> Tree {
        let pod = shuffled(
            some([("metadata", metadata())], percent: 70)
                + [("spec", .mapping(shuffled(spec())))])
        // An object has a name.
        let own = shuffled([
            (
                "metadata",
                .mapping(shuffled([("name", .scalar("a"))] + some([("annotations", annotations())], percent: 50)))
            ),
            ("spec", .mapping(shuffled(spec()))),
        ])
        switch Int.random(in: 0...3, using: &random) {
        case 0: return .mapping(shuffled([("apiVersion", .scalar("v1")), ("kind", .scalar("Pod"))] + own))
        case 1:
            let template: [(String, Tree)] = [("template", .mapping(pod)), ("replicas", .scalar("1"))]
            return .mapping(
                shuffled([
                    ("apiVersion", .scalar("apps/v1")), ("kind", .scalar("Deployment")),
                    ("spec", .mapping(shuffled(template))),
                ]))
        case 2:
            let job: Tree = .mapping([("spec", .mapping([("template", .mapping(pod))]))])
            return .mapping([
                ("kind", .scalar("CronJob")), ("apiVersion", .scalar("batch/v1")),
                ("spec", .mapping(shuffled([("schedule", .scalar("'* * * * *'")), ("jobTemplate", job)]))),
            ])
        default:
            let items: [Tree] = [
                .mapping([("apiVersion", .scalar("v1")), ("kind", .scalar("Pod"))] + own),
                .mapping([("apiVersion", .scalar("v1")), ("kind", .scalar("Service"))]),
            ]
            return .mapping([("apiVersion", .scalar("v1")), ("kind", .scalar("List")), ("items", .list(items))])
        }
    }

    private mutating func metadata() -> Tree {
        if random.chance(15) { return .empty(random.pick(["", "{}", "{ }"]), "{}") }
        return .mapping(
            shuffled(
                some([("annotations", annotations())], percent: 60)
                    + [("labels", .mapping([("app", .scalar("a"))]))]))
    }

    private mutating func annotations() -> Tree {
        if random.chance(40) {
            return .empty(random.pick(["", "{}", "null", "~"]), random.pick(["{}", "{ }"]))
        }
        return .mapping([("a/b", .scalar("c")), ("d", .scalar("\"e: f\""))])
    }

    private mutating func spec() -> [(String, Tree)] {
        let probes = some([("livenessProbe", probe())], percent: 40) + some([("startupProbe", probe())], percent: 20)
        let (container, initContainer) = (container("a", probes), container("é", []))
        let volume: Tree = .mapping([("name", .scalar("v")), ("emptyDir", .empty("{}", "{}"))])
        return [("containers", .list([container]))] + some([("initContainers", list(of: initContainer))], percent: 60)
            + some([("volumes", list(of: volume))], percent: 60)
            + some([("dnsPolicy", .scalar("Default"))], percent: 50)
    }

    private mutating func list(of item: Tree) -> Tree {
        if random.chance(35) { return .empty(random.pick(["", "[]", "[ ]", "null"]), random.pick(["[]", "[ ]"])) }
        return .list(random.chance(50) ? [item] : [item, item])
    }

    private mutating func container(_ name: String, _ probes: [(String, Tree)]) -> Tree {
        .mapping(
            shuffled(
                [
                    ("name", .scalar(name)), ("image", .scalar("\"a:1\"")),
                    ("args", .list([.scalar("x"), .scalar("'#y'")])),
                    ("env", .empty("[]", "[]")),
                ] + probes))
    }

    private mutating func probe() -> Tree {
        let handler: (String, Tree) = random.pick([
            (
                "httpGet",
                .mapping(shuffled([("port", .scalar("80")), ("path", .scalar("/é")), ("scheme", .scalar("HTTP"))]))
            ),
            ("tcpSocket", .mapping([("port", .scalar("\"81\""))])),
            ("grpc", .mapping(shuffled([("port", .scalar("82")), ("service", .scalar("'it''s \"$(A)\"'"))]))),
        ])
        return .mapping(shuffled([handler, ("periodSeconds", .scalar("3"))]))
    }

    // MARK: Layout

    private mutating func block(_ tree: Tree, indent: Int) -> String {
        let space = String(repeating: " ", count: indent)
        var text = ""
        switch tree {
        case .scalar(let scalar), .empty(let scalar, _): return space + scalar + lineBreak
        case .list(let items):
            for item in items {
                text += noise()
                if isInline(item) {
                    text += space + "- " + flow(item) + comment() + lineBreak
                } else {
                    let gap = Int.random(in: 1...3, using: &random)
                    let inner = block(item, indent: indent + 1 + gap)
                    // The first line's indentation has the dash in it.
                    let first = inner.firstRange(of: String(repeating: " ", count: indent + 1 + gap))
                    if inner.hasPrefix(space + " "), first?.lowerBound == inner.startIndex,
                        !inner.drop(while: { $0 == " " }).hasPrefix("#")
                    {
                        text += space + "-" + inner.dropFirst(indent + 1)
                    } else {
                        text += space + "-" + lineBreak + inner
                    }
                }
            }
        case .mapping(let entries):
            for (key, value) in entries {
                text += noise()
                let key = random.chance(10) ? "\"\(key)\"" : key
                if isInline(value) {
                    text += space + key + ": " + flow(value) + comment() + lineBreak
                } else {
                    let isList = if case .list = value { true } else { false }
                    let step = isList && random.chance(40) ? 0 : random.pick([1, 2, 2, 2, 4, 8])
                    text += space + key + ":" + comment() + lineBreak + block(value, indent: indent + step)
                }
            }
        }
        return text
    }

    private mutating func isInline(_ tree: Tree) -> Bool {
        switch tree {
        case .scalar, .empty: true
        case .list, .mapping: random.chance(12)
        }
    }

    private mutating func flow(_ tree: Tree) -> String {
        switch tree {
        case .scalar(let text): return text
        case .empty(let text, let inBraces): return isInFlow ? inBraces : text
        case .list(let items):
            let parts = inFlow { generator in items.map { generator.flow($0) } }
            return "[" + parts.joined(separator: random.pick([", ", ","])) + random.pick(["]", "]", " ]", ",]"])
        case .mapping(let entries):
            let parts = inFlow { generator in entries.map { "\"\($0.0)\": " + generator.flow($0.1) } }
            return "{" + parts.joined(separator: random.pick([", ", ","])) + random.pick(["}", "}", " }"])
        }
    }

    private var isInFlow = false

    private mutating func inFlow(_ body: (inout ManifestGenerator) -> [String]) -> [String] {
        let before = isInFlow
        isInFlow = true
        defer { isInFlow = before }
        return body(&self)
    }

    private mutating func comment() -> String { random.chance(10) ? random.pick(["  # note", " #", "   "]) : "" }

    private mutating func noise() -> String {
        guard random.chance(12) else { return "" }
        let indent = String(repeating: " ", count: Int.random(in: 0...8, using: &random))
        return random.pick([lineBreak, indent + "# - name: x" + lineBreak, indent + lineBreak])
    }

    private mutating func some(_ entries: [(String, Tree)], percent: Int) -> [(String, Tree)] {
        random.chance(percent) ? entries : []
    }

    private mutating func shuffled(_ entries: [(String, Tree)]) -> [(String, Tree)] { entries.shuffled(using: &random) }
}
