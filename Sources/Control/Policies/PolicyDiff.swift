import Identity
import Policy
public import PolicyAnalysis
public import Settings
import Telemetry

/// How two settings differ in what their policies make of requests.
public struct PolicyDiff: Sendable {
    private struct Route {
        var listener: String
        var name: String
        var notes: [String] = []
        var changes: [PolicyChange] = []
    }

    private var routes: [Route] = []

    /// Routes of the same name on a listener of the same name are compared.
    public init(from before: Settings, to after: Settings) throws(WorkLimitReached) {
        let old = before.routePolicies
        let new = after.routePolicies
        for route in old where !new.contains(where: { Self.isSame($0, route) }) {
            routes.append(Route(listener: route.listener, name: route.route, notes: ["it is gone"]))
        }
        let reordered = Self.reordered(old, new)
        for route in new {
            var entry = Route(listener: route.listener, name: route.route)
            if let former = old.first(where: { Self.isSame($0, route) }) {
                if former.match != route.match || former.scope != route.scope {
                    entry.notes.append(
                        "other connections than before come here, which is not compared: its match, or its listener, "
                            + "has changed")
                }
                if reordered.contains(route.listener) {
                    entry.notes.append(
                        "routes of the listener stand in another order, so that connections may take another one, "
                            + "which is not compared")
                }
                let differences = try PolicyComparison.differences(
                    from: former.policy, to: route.policy, within: route.scope)
                entry.changes = differences.map {
                    PolicyChange($0, from: former.policy, to: route.policy)
                }
            } else {
                entry.notes.append("it is new")
            }
            if !entry.notes.isEmpty || !entry.changes.isEmpty { routes.append(entry) }
        }
        routes += Self.notCompared(before, after)
    }

    public var isEmpty: Bool { routes.isEmpty }

    public var text: String {
        guard !routes.isEmpty else { return "no request is treated otherwise" }
        var lines: [String] = []
        for route in routes {
            lines.append("route \(route.name) of listener \(route.listener):")
            lines += route.notes.map { "  \($0)" }
            for change in route.changes {
                lines.append("  now \(change.effect), among others: \(change.requests.description)")
                lines.append("    before: \(change.before); after: \(change.after)")
                lines.append("    for example: \(Self.options(change.requests.example, route.listener))")
            }
        }
        return lines.joined(separator: "\n")
    }

    public func json(_ census: CallerCensus, hasCallers: Bool) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.beginArray("routes")
        for route in routes {
            json.beginObject()
            json.field("listener", route.listener)
            json.field("route", route.name)
            json.beginArray("notes")
            for note in route.notes { json.element(note) }
            json.endArray()
            json.beginArray("changes")
            for change in route.changes {
                json.beginObject()
                json.field("now", change.effect)
                json.field("requests", change.requests.description)
                json.field("before", change.before)
                json.field("after", change.after)
                json.field("example", Self.options(change.requests.example, route.listener))
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        if hasCallers { census.write(to: &json) }
        json.endObject()
        return json.text
    }

    /// What else decides about connections, and has changed.
    private static func notCompared(_ before: Settings, _ after: Settings) -> [Route] {
        var notes: [Route] = []
        func identities(_ settings: Settings) -> [String: [String: [IdentityPattern]]] {
            Dictionary(
                settings.listeners.filter { $0.mode == .outbound }.map { listener in
                    let routes = listener.routes.map { ($0.name, $0.upstream.identities) }
                    return (listener.name, Dictionary(routes, uniquingKeysWith: { one, _ in one }))
                }, uniquingKeysWith: { one, _ in one })
        }
        let (old, new) = (identities(before), identities(after))
        for listener in Set(old.keys).union(new.keys).sorted() {
            let routes = Set((old[listener] ?? [:]).keys).union((new[listener] ?? [:]).keys)
            for route in routes.sorted() where old[listener]?[route] != new[listener]?[route] {
                notes.append(
                    Route(
                        listener: listener, name: route,
                        notes: ["other servers than before are accepted, which is not compared: its `identities`"]))
            }
        }
        if trusted(before) != trusted(after) {
            notes.append(
                Route(
                    listener: "every listener", name: "every route",
                    notes: ["other trust domains than before have a bundle, which is not compared"]))
        }
        return notes
    }

    private static func trusted(_ settings: Settings) -> Set<String> {
        var domains = Set(settings.federation.map(\.trustDomain.name))
        if case .files(let files) = settings.identity { domains.formUnion(files.trustBundles.map(\.trustDomain.name)) }
        return domains
    }

    /// Listeners whose routes, of those that were there, stand in another order.
    private static func reordered(_ old: [RoutePolicy], _ new: [RoutePolicy]) -> Set<String> {
        let listeners = Set(new.map(\.listener))
        return listeners.filter { listener in
            let before = old.filter { $0.listener == listener }.map(\.route)
            let after = new.filter { $0.listener == listener }.map(\.route)
            return before.filter(after.contains) != after.filter(before.contains)
        }
    }

    private static func isSame(_ one: RoutePolicy, _ other: RoutePolicy) -> Bool {
        one.listener == other.listener && one.route == other.route
    }

    /// As `postern explain` takes it.
    private static func options(_ request: Request, _ listener: String) -> String {
        var words = ["--listener \(listener)"]
        words.append(request.identity.map { "--identity \($0)" } ?? "--plaintext")
        words.append("--source \(request.source) --port \(request.destinationPort)")
        if let name = request.serverName { words.append("--sni \(name)") }
        return words.joined(separator: " ")
    }
}

/// Requests that are treated otherwise, in words.
private struct PolicyChange {
    var effect: String
    var before: String
    var after: String
    var requests: RequestClass

    init(_ difference: PolicyComparison.Difference, from before: Policy, to after: Policy) {
        effect =
            switch difference.after.effect {
            case .allow: "allowed"
            case .deny: "refused"
            case .wouldDeny: "let through, and logged as one that would be refused"
            }
        self.before = Self.words(difference.before, before)
        self.after = Self.words(difference.after, after)
        requests = difference.requests
    }

    private static func words(_ verdict: Verdict, _ policy: Policy) -> String {
        let rule = verdict.ruleIndex.map { "by rule \(policy.rules[$0].name)" } ?? "because no rule matches"
        let effect =
            switch verdict.effect {
            case .allow: "allowed"
            case .deny: "refused"
            case .wouldDeny: "only logged as refused"
            }
        return "\(effect) \(rule)"
    }
}
