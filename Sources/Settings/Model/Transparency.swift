/// How a listener gets connections that were meant for other addresses, by rules of the kernel's firewall.
public enum Transparency: String, Sendable, CaseIterable {
    /// It has only those of clients that dial it.
    case off
    /// A REDIRECT rule changed the destination, which connection tracking remembers (SO_ORIGINAL_DST).
    case redirect
    /// A TPROXY rule left the destination as it was: it is the accepted socket's own address (IP_TRANSPARENT).
    case tproxy
}

/// What becomes of a connection for which no route of a transparent outbound listener is meant.
public enum UnmatchedConnections: String, Sendable, CaseIterable {
    case refuse
    /// It is relayed to where it wanted to go, in plaintext.
    case passthrough
}
