import Identity
import Policy
public import Settings
import Telemetry

/// The callers of an access log, and what two settings make of each.
public struct CallerCensus: Sendable {
    /// A kind of connection, without the port of the caller.
    private struct Call: Hashable {
        var listener: String
        var identity: String?
        var source: IPAddress
        var destination: Endpoint?
        var serverName: String?
        var applicationProtocol: String?
    }

    private let before: Settings
    private let after: Settings
    private var seen: Set<Call> = []
    private var callers: Set<String> = []
    /// Of callers of whom anything is treated otherwise: how, in words.
    private var changed: [String: Set<String>] = [:]
    private var isFull = false

    public init(from before: Settings, to after: Settings) {
        self.before = before
        self.after = after
    }

    /// Takes one line of an access log; what is none of an inbound connection that came to a route is passed over.
    public mutating func take(_ line: [UInt8]) {
        guard let fields = JSONFields(line.span), fields["direction"] == "inbound", let listener = fields["listener"],
            fields["policy"] != nil,
            let source = fields["source"].flatMap({ try? Endpoint(parsing: $0) })?.address
        else { return }
        let call = Call(
            listener: listener, identity: fields["peerId"], source: source,
            destination: fields["destination"].flatMap { try? Endpoint(parsing: $0) }, serverName: fields["sni"],
            applicationProtocol: fields["alpn"])
        guard seen.count < Self.callsAtMost else {
            isFull = true
            return
        }
        guard seen.insert(call).inserted else { return }
        let name = call.identity ?? "a client without certificate from \(call.source)"
        callers.insert(name)
        let (old, new) = (forwards(call, before), forwards(call, after))
        if old != new { changed[name, default: []].insert(new ? "allowed" : "refused") }
    }

    public var text: String {
        var lines = ["\(changed.count) of \(callers.count) callers would be treated otherwise\(remark):"]
        lines += changed.sorted { $0.key < $1.key }.prefix(Self.shown).map {
            "  now \(Self.words($0.value)): \($0.key)"
        }
        if changed.count > Self.shown { lines.append("  and \(changed.count - Self.shown) more") }
        return changed.isEmpty ? String(lines[0].dropLast()) : lines.joined(separator: "\n")
    }

    func write(to json: inout JSONWriter) {
        json.field("callers", callers.count)
        json.beginArray("changedCallers")
        for (name, effect) in changed.sorted(by: { $0.key < $1.key }) {
            json.beginObject()
            json.field("caller", name)
            json.field("now", Self.words(effect))
            json.endObject()
        }
        json.endArray()
    }

    private var remark: String { isFull ? " (of the first \(Self.callsAtMost) kinds of calls)" : "" }

    private static func words(_ effects: Set<String>) -> String { effects.sorted().joined(separator: " and ") }

    /// As `run` would decide; refused where the listener is gone.
    private func forwards(_ call: Call, _ settings: Settings) -> Bool {
        let question = Question(
            identity: call.identity.flatMap { try? SPIFFEID(parsing: $0) }, source: call.source,
            serverName: call.serverName, applicationProtocol: call.applicationProtocol, destination: call.destination)
        return Answer(to: question, listener: call.listener, settings: settings)?.forwards ?? false
    }

    private static let callsAtMost = 1_000_000
    private static let shown = 100
}
