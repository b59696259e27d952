import TLS

/// Full handshakes between fresh contexts, so that both verify the other's chain.
final class FullHandshakes: Workload {
    private let identities: Identities
    private let wires: MemoryWires
    private var contexts: [(client: TLSContext, server: TLSContext)] = []

    init(_ identities: Identities) throws {
        self.identities = identities
        wires = try MemoryWires()
    }

    func prepare(_ operations: Int) throws {
        contexts = try (0..<operations).map { _ in try identities.contexts(resumption: false) }
    }

    func run(_ operations: Int) throws {
        for index in 0..<operations { _ = try MemoryPair.joined(contexts[index], wires) }
    }
}

/// Handshakes between two contexts that have cached each other's chain, or resume.
final class RepeatedHandshakes: Workload {
    private let contexts: (client: TLSContext, server: TLSContext)
    private let wires: MemoryWires

    init(_ identities: Identities, resuming: Bool) throws {
        contexts = try identities.contexts(resumption: resuming)
        wires = try MemoryWires()
        _ = try MemoryPair.joined(contexts, wires)
        let pair = try MemoryPair.joined(contexts, wires)
        guard pair.client.resumed == resuming, pair.server.resumed == resuming else {
            throw MicroBenchFault.session("resumed: \(pair.client.resumed), expected \(resuming)")
        }
    }

    func run(_ operations: Int) throws {
        for _ in 0..<operations { _ = try MemoryPair.joined(contexts, wires) }
    }
}
