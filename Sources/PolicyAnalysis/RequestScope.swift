public import Policy

/// The requests that a route can get.
public struct RequestScope: Hashable, Sendable {
    /// Empty: any name, or none.
    public var serverNames: [ServerNamePattern]
    /// Empty: any port.
    public var destinationPorts: [PortRange]
    /// Whether a request is for a port at all: one on a Unix socket is not, and has the number 0.
    public var hasPort: Bool
    /// Whether clients without certificate are let in at all.
    public var admitsPlaintext: Bool

    public init(
        serverNames: [ServerNamePattern] = [], destinationPorts: [PortRange] = [], hasPort: Bool = true,
        admitsPlaintext: Bool = true
    ) {
        self.serverNames = serverNames
        self.destinationPorts = destinationPorts
        self.hasPort = hasPort
        self.admitsPlaintext = admitsPlaintext
    }

    /// All there can be.
    public static let everything = RequestScope()

    /// A rule that matches them, and clients without certificate anyway.
    var rule: Rule {
        Rule(name: "", action: .allow, destinationPorts: destinationPorts, serverNames: serverNames)
    }
}
