import DataPlane
import EventLoop
import Settings
import System

/// The listening sockets of a proxy from one generation of settings to the next: one a listener and worker.
///
/// A socket stays as long as some listener wants its address, whichever that is.
struct BoundListeners {
    /// The socket of one listener.
    struct Socket {
        /// Names it towards the workers.
        let key: Int
        let wanted: Wanted
        /// What is bound, with the port that the kernel chose where 0 was asked for.
        let address: SocketAddress
    }

    /// What a listener asks for. Of port 0 each listener has its own.
    struct Wanted: Hashable {
        let bind: Endpoint
        let owner: String?

        init(_ listener: ListenerSettings) {
            bind = listener.bind
            owner = bind.port == 0 ? listener.name : nil
        }
    }

    /// Sockets that are bound and not handed to workers yet; they close with it unless they are.
    final class Fresh {
        /// One descriptor a worker, by the socket's key.
        private var descriptors: [Int: [Int32]] = [:]

        fileprivate func add(_ group: [Int32], _ key: Int) { descriptors[key] = group }

        /// Worker number `index`'s descriptor of the socket, if it is fresh; whoever takes it closes it.
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

    /// Binds what `listeners` want and is not bound yet, all or none; the sockets are theirs, in their order.
    ///
    /// - Parameter sources: where the listeners stand in the settings file.
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
