/// How much is measured.
struct Plan: Sendable {
    var rounds: Int
    var window: Duration
    var idleConnections: Int
    var bulkConnections: Int
    var openRate: Int
    var proxyCore: Int
    var selection: Set<String>?

    func includes(_ name: String) -> Bool { selection?.contains(name) ?? true }
}
