public import Policy

/// An inbound listener that also takes plaintext, during a migration to mutual TLS.
public struct PermissiveSettings: Equatable, Sendable {
    /// A client that is silent for so long is taken for one of plaintext that waits for the server to speak.
    public var detectionMilliseconds = 50
    /// Ports whose clients all send plaintext and wait for the server: nothing is waited for.
    public var serverFirst: [PortRange] = []
    /// The names (SNI) whose TLS is ours; empty: all TLS is. Other TLS is passed through.
    public var terminate: [ServerNamePattern] = []

    /// Whether TLS for the name (SNI) is ours.
    public func terminates(_ name: String) -> Bool {
        terminate.isEmpty || terminate.contains { $0.matches(name) }
    }
}

/// What an inbound listener asks of its clients.
public enum ClientCertificates: String, Hashable, Sendable, CaseIterable {
    case required, permissive
}
