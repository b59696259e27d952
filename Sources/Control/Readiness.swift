/// Whether the proxy accepts connections, and if not, why. Belongs to the control thread.
public enum Readiness: Hashable, Sendable {
    case ready
    case notReady(reason: String)
}
