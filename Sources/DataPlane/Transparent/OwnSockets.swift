import Synchronization
public import System

/// A dialled connection, as both of its ends see it: no two connections of a network namespace have the same.
struct Flow: Hashable {
    let source: SocketAddress
    let destination: SocketAddress
    /// Which side of the proxy dialled it.
    let dialler: ConnectionMachine.Mode
}

/// What one process dials and listens on, as far as it matters to find connections of the process to itself.
///
/// Workers share it, and use it on transparent listeners only: a rule may send what one worker dials to another.
public final class OwnSockets: Sendable {
    private let flows = Mutex<Set<Flow>>([])
    private let admin = Mutex<SocketAddress?>(nil)

    public init() {}

    /// Where the admin endpoint listens, once that is known.
    public func setAdmin(_ address: SocketAddress) { admin.withLock { $0 = address } }

    var adminAddress: SocketAddress? { admin.withLock { $0 } }

    func insert(_ flow: Flow) { flows.withLock { _ = $0.insert(flow) } }

    func remove(_ flow: Flow) { flows.withLock { _ = $0.remove(flow) } }

    /// Whether a connection that a listener of this mode accepted, and that wanted to go to `destination`, is one of
    /// our own that came back.
    ///
    /// What we dial for programs of this host may rightly come in again: they call the application behind us.
    func contains(from source: SocketAddress, to destination: SocketAddress, at mode: ConnectionMachine.Mode) -> Bool {
        flows.withLock { flows in
            flows.contains(Flow(source: source, destination: destination, dialler: .inbound))
                || mode == .outbound
                    && flows.contains(Flow(source: source, destination: destination, dialler: .outbound))
        }
    }
}
