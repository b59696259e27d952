import Policy

extension RouteMatch {
    /// Whether this match surely holds wherever `other` does.
    func covers(_ other: RouteMatch) -> Bool {
        Self.covers(serverNames, other.serverNames) { $0.covers($1) }
            && Self.covers(applicationProtocols, other.applicationProtocols) { $0 == $1 }
            && Self.covers(destinationPorts, other.destinationPorts) { $0.contains($1) }
    }

    /// An empty condition covers all; else each value of the other must be covered by one of these.
    private static func covers<Value>(
        _ values: [Value], _ others: [Value], by coversOne: (Value, Value) -> Bool
    ) -> Bool {
        guard !values.isEmpty else { return true }
        return !others.isEmpty && others.allSatisfy { other in values.contains { coversOne($0, other) } }
    }
}
