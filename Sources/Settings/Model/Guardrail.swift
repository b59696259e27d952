public import Policy

/// What the policies of some routes may allow at most, whoever writes them.
public struct Guardrail: Equatable, Sendable {
    public var name: String
    /// Of inbound listeners; empty: all.
    public var listeners: [String]
    /// Empty: all.
    public var routes: [String]
    /// Nothing may be allowed but what they allow.
    public var rules: [Rule]
    public var position: Position

    /// Whether it is for a route of an inbound listener.
    public func applies(toRoute route: String, of listener: String) -> Bool {
        (routes.isEmpty || routes.contains(route)) && (listeners.isEmpty || listeners.contains(listener))
    }
}
