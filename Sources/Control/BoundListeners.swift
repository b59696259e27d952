import DataPlane
import EventLoop
import Glibc
import Settings

/// The listening sockets of a proxy: one a listener and worker. They close with it unless they were handed over.
final class BoundListeners {
    /// One a listener.
    private(set) var addresses: [SocketAddress] = []
    /// One list a listener, one descriptor a worker.
    private var descriptors: [[Int32]] = []
    private let workers: Int

    /// Binds all or none.
    init(_ listeners: [ListenerSettings], workers: Int) throws(ProxyFault) {
        self.workers = workers
        for listener in listeners {
            let bind = listener.bind
            do throws(EventLoopFault) {
                let group = try ListeningSocket.group(address: SocketAddress(bind.value), count: workers)
                descriptors.append(group.descriptors)
                addresses.append(group.address)
            } catch {
                let reason = if case .systemCall(_, let number) = error { systemMessage(number) } else { "\(error)" }
                throw .bind(
                    SettingsFlaw(
                        .error, at: bind.position,
                        "cannot listen on \(bind.value) (listener \"\(listener.name)\"): \(reason)"))
            }
        }
    }

    /// One list a worker, in the order of the listeners; whoever takes them closes them.
    func handOver() -> [[Int32]] {
        defer { descriptors = [] }
        return (0..<workers).map { worker in descriptors.map { $0[worker] } }
    }

    deinit { for descriptor in descriptors.joined() { close(descriptor) } }
}
