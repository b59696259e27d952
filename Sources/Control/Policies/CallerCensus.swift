import Identity
import Policy
public import Settings
import Telemetry

/// The callers of an access log, and what two settings make of each.
public struct CallerCensus: Sendable {
    /// A kind of request: what a policy looks at, without the port of the caller.
    private struct Call: Hashable {
        var listener: String
        var route: String
        var identity: String?
        var source: IPAddress
        var port: UInt16
        var serverName: String?
    }

    private let before: [RoutePolicy]
    private let after: [RoutePolicy]
    private let ports: [String: UInt16]
    private var seen: Set<Call> = []
    private var callers: Set<String> = []
    /// Of callers of whom anything is treated otherwise: how, in words.
    private var changed: [String: String] = [:]
    private var isFull = false

    public init(from before: Settings, to after: Settings) {
        self.before = before.routePolicies
        self.after = after.routePolicies
        ports = Dictionary(
            before.listeners.compactMap { listener in
                listener.bind.endpoint.map { (listener.name, $0.port) }
            }, uniquingKeysWith: { one, _ in one })
    }

    /// Takes one line of an access log; what is none of an inbound connection that came to a route is passed over.
    public mutating func take(_ line: [UInt8]) {
        guard let fields = JSONFields(line.span), fields["direction"] == "inbound", let listener = fields["listener"],
            let route = fields["route"], fields["decision"] != nil,
            let source = fields["source"].flatMap({ try? Endpoint(parsing: $0) })?.address
        else { return }
        let destination = fields["destination"].flatMap { try? Endpoint(parsing: $0) }?.port
        let call = Call(
            listener: listener, route: route, identity: fields["peerId"], source: source,
            port: destination ?? ports[listener] ?? 0, serverName: fields["sni"])
        guard seen.count < Self.callsAtMost else {
            isFull = true
            return
        }
        guard seen.insert(call).inserted else { return }
        let name = call.identity ?? "a client without certificate from \(call.source)"
        callers.insert(name)
        let (old, new) = (forwards(call, before), forwards(call, after))
        if old != new { changed[name] = new ? "allowed" : "refused" }
    }

    public var text: String {
        var lines = ["\(changed.count) of \(callers.count) callers would be treated otherwise\(remark):"]
        lines += changed.sorted { $0.key < $1.key }.prefix(Self.shown).map { "  now \($0.value): \($0.key)" }
        if changed.count > Self.shown { lines.append("  and \(changed.count - Self.shown) more") }
        return changed.isEmpty ? String(lines[0].dropLast()) : lines.joined(separator: "\n")
    }

    func write(to json: inout JSONWriter) {
        json.field("callers", callers.count)
        json.beginArray("changedCallers")
        for (name, effect) in changed.sorted(by: { $0.key < $1.key }) {
            json.beginObject()
            json.field("caller", name)
            json.field("now", effect)
            json.endObject()
        }
        json.endArray()
    }

    private var remark: String { isFull ? " (of the first \(Self.callsAtMost) kinds of calls)" : "" }

    /// Refused where the route is gone.
    private func forwards(_ call: Call, _ routes: [RoutePolicy]) -> Bool {
        guard let route = routes.first(where: { $0.listener == call.listener && $0.route == call.route }) else {
            return false
        }
        let identity = call.identity.flatMap { try? SPIFFEID(parsing: $0) }
        return route.policy.decide(
            Request(
                identity: identity, source: call.source, destinationPort: call.port, serverName: call.serverName)
        ).forwards
    }

    private static let callsAtMost = 1_000_000
    private static let shown = 100
}
