public import Policy

/// The requests that a route can get.
public struct RequestScope: Hashable, Sendable {
    /// Empty: any name, or none.
    public var serverNames: [ServerNamePattern]
    /// Empty: any port.
    public var destinationPorts: [PortRange]
    /// Whether clients without certificate are let in at all.
    public var admitsPlaintext: Bool

    public init(
        serverNames: [ServerNamePattern] = [], destinationPorts: [PortRange] = [], admitsPlaintext: Bool = true
    ) {
        self.serverNames = serverNames
        self.destinationPorts = destinationPorts
        self.admitsPlaintext = admitsPlaintext
    }

    /// All there can be.
    public static let everything = RequestScope()

    /// A rule that matches them, and clients without certificate anyway.
    var rule: Rule {
        Rule(name: "", action: .allow, destinationPorts: destinationPorts, serverNames: serverNames)
    }
}
