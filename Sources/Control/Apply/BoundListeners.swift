import DataPlane
import EventLoop
import Settings
import System

/// The proxy's listening sockets across reloads: one per listener and worker.
///
/// A socket stays open as long as any listener wants its address.
struct BoundListeners {
    /// The socket of one listener.
    struct Socket {
        /// Identifies it to the workers.
        let key: Int
        let wanted: Wanted
        /// The bound address, with the kernel's choice for port 0.
        let address: SocketAddress
    }

    /// The address a listener asks for. Listeners with port 0 never share one.
    struct Wanted: Hashable {
        let bind: Endpoint
        let owner: String?

        init(_ listener: ListenerSettings) {
            bind = listener.bind
            owner = bind.port == 0 ? listener.name : nil
        }
    }

    /// Bound sockets not handed to workers yet; `deinit` closes the rest.
    final class Fresh {
        /// One descriptor per worker, by the socket's key.
        private var descriptors: [Int: [Int32]] = [:]

        fileprivate func add(_ group: [Int32], _ key: Int) { descriptors[key] = group }

        /// Hands over worker `index`'s descriptor of the socket if it is fresh; the caller closes it.
        func take(_ key: Int, worker index: Int) -> Int32? {
            guard let descriptor = descriptors[key]?[index], descriptor >= 0 else { return nil }
            descriptors[key]?[index] = -1
            return descriptor
        }

        deinit { for descriptor in descriptors.values.joined() where descriptor >= 0 { closeDescriptor(descriptor) } }
    }

    private(set) var sockets: [Socket] = []
    private var nextKey = 0
    private let workers: Int

    init(workers: Int) { self.workers = workers }

    /// Binds the addresses of `listeners` not bound yet, all or none; ``sockets`` follows their order.
    ///
    /// - Parameter sources: positions of the listeners in the settings file.
    mutating func bind(_ listeners: [ListenerSettings], _ sources: SourceMap) throws(ProxyFault) -> Fresh {
        let fresh = Fresh()
        var next: [Socket] = []
        for (index, listener) in listeners.enumerated() {
            let wanted = Wanted(listener)
            if let kept = sockets.first(where: { $0.wanted == wanted }) {
                next.append(kept)
                continue
            }
            let group = try Self.group(for: listener, at: sources.bind(ofListener: index), workers)
            fresh.add(group.descriptors, nextKey)
            next.append(Socket(key: nextKey, wanted: wanted, address: group.address))
            nextKey += 1
        }
        sockets = next
        return fresh
    }

    private static func group(
        for listener: ListenerSettings, at position: Position, _ workers: Int
    ) throws(ProxyFault) -> (descriptors: [Int32], address: SocketAddress) {
        let bind = listener.bind
        do throws(EventLoopFault) {
            return try ListeningSocket.group(address: SocketAddress(bind), count: workers)
        } catch {
            let reason = if case .systemCall(_, let number) = error { systemMessage(number) } else { "\(error)" }
            throw .bind(
                SettingsFlaw(
                    .error, at: position,
                    "cannot listen on \(bind) (listener \"\(listener.name)\"): \(reason)"))
        }
    }
}
