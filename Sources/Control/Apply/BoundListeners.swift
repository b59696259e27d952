import DataPlane
import EventLoop
import Glibc
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
        /// Of a Unix socket outside the abstract namespace.
        let file: UnixSocketFile?
        let queue: AcceptQueue

        /// False if its file was removed or replaced: nobody finds it any more.
        var isReachable: Bool { file?.isInPlace ?? true }
    }

    /// The address a listener asks for. Listeners with port 0 never share one.
    struct Wanted: Hashable {
        let bind: ListenAddress
        /// Who may connect to a Unix socket's file. Another one is another socket: nobody whom the workers' old state
        /// would serve may connect to it before they have the new one.
        let access: UnixSocketFile.Access?
        let owner: String?
        /// IP_TRANSPARENT, which is set before the bind.
        let isTransparent: Bool

        init(_ listener: ListenerSettings) {
            bind = listener.bind
            access = if case .unix(let address) = bind, !address.isAbstract { .init(listener) } else { nil }
            owner = bind.endpoint?.port == 0 ? listener.name : nil
            isTransparent = listener.transparency == .tproxy
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
    /// What the service manager has bound, until listeners have taken it at the start.
    private var inherited: [InheritedSocket]
    private var nextKey = 0
    private let workers: Int

    init(workers: Int, inherited: [InheritedSocket] = []) {
        self.workers = workers
        self.inherited = inherited
    }

    /// Binds the addresses of `listeners` not bound yet, all or none; ``sockets`` follows their order.
    ///
    /// - Parameter sources: positions of the listeners in the settings file.
    mutating func bind(_ listeners: [ListenerSettings], _ sources: SourceMap) throws(ProxyFault) -> Fresh {
        let fresh = Fresh()
        var next: [Socket] = []
        let shares = try InheritedShares(dividing: inherited, among: listeners, sources, workers: workers)
        inherited = []
        for (index, listener) in listeners.enumerated() {
            let wanted = Wanted(listener)
            if let kept = sockets.first(where: { $0.wanted == wanted }), kept.isReachable {
                next.append(kept)
                continue
            }
            if sockets.contains(where: {
                $0.wanted.bind == wanted.bind && $0.wanted.isTransparent != wanted.isTransparent
            }) {
                throw .unsupported(
                    SettingsFlaw(
                        .error, at: sources.bind(ofListener: index),
                        "\(wanted.bind) is bound already, and `transparent: tproxy` can begin or end only at a start: "
                            + "bind another port, or restart"))
            }
            if !shares[index].isEmpty {
                let taken = shares[index]
                let descriptors: [Int32]
                do throws(EventLoopFault) {
                    descriptors = try ListeningSocket.group(inheriting: taken, count: workers)
                } catch {
                    throw Self.fault(error, listener, at: sources.bind(ofListener: index))
                }
                fresh.add(descriptors, nextKey)
                next.append(
                    Socket(key: nextKey, wanted: wanted, address: taken[0].address, file: nil, queue: .inherited))
                nextKey += 1
                continue
            }
            let predecessor = sockets.first { $0.wanted.bind == wanted.bind }?.file
            let group = try Self.group(
                for: listener, after: predecessor, at: sources.bind(ofListener: index), workers)
            fresh.add(group.descriptors, nextKey)
            let queue: AcceptQueue = wanted.bind.endpoint == nil && workers > 1 ? .ofWorkers : .ofWorker
            next.append(
                Socket(key: nextKey, wanted: wanted, address: group.address, file: group.file, queue: queue))
            nextKey += 1
        }
        for lost in sockets where lost.queue == .inherited && !next.contains(where: { $0.key == lost.key }) {
            // Its clients would wait in a queue that nobody empties.
            throw .unsupported(
                SettingsFlaw(
                    .error, at: sources.listeners,
                    "the service manager listens on \(lost.address.text), and no listener would take it any more: take "
                        + "it out of the socket unit, and restart"))
        }
        sockets = next
        return fresh
    }

    /// Gives the files of new Unix sockets their places: the last thing that can fail.
    func place(_ settings: [ListenerSettings], _ sources: SourceMap) throws(ProxyFault) {
        for (index, socket) in sockets.enumerated() {
            do throws(UnixSocketFault) {
                try socket.file?.place()
            } catch {
                throw Self.fault(
                    .systemCall("bind", errno: error.errno), settings[index], at: sources.bind(ofListener: index))
            }
        }
    }

    /// Whether each socket is reachable where it is bound; one that is not is made anew by the next ``bind(_:_:)``.
    var areReachable: Bool { sockets.allSatisfy(\.isReachable) }

    /// Removes the files of Unix sockets, which nobody accepts on any more.
    func removeFiles() { for socket in sockets { socket.file?.remove() } }

    private static func group(
        for listener: ListenerSettings, after predecessor: UnixSocketFile?, at position: Position, _ workers: Int
    ) throws(ProxyFault) -> (descriptors: [Int32], address: SocketAddress, file: UnixSocketFile?) {
        do throws(EventLoopFault) {
            switch listener.bind {
            case .ip(let endpoint):
                let group = try ListeningSocket.group(
                    address: SocketAddress(endpoint), count: workers, transparent: listener.transparency == .tproxy)
                return (group.descriptors, group.address, nil)
            case .unix(let address):
                let group = try ListeningSocket.unixGroup(
                    name: address.name, access: UnixSocketFile.Access(listener), after: predecessor, count: workers)
                return (group.descriptors, SocketAddress(unix: address.name), group.file)
            }
        } catch {
            throw fault(error, listener, at: position)
        }
    }

    private static func fault(
        _ fault: EventLoopFault, _ listener: ListenerSettings, at position: Position
    ) -> ProxyFault {
        let reason = reason(fault, listener.bind)
        return .bind(
            SettingsFlaw(
                .error, at: position, "cannot listen on \(listener.bind) (listener \"\(listener.name)\"): \(reason)"))
    }

    private static func reason(_ fault: EventLoopFault, _ bind: ListenAddress) -> String {
        guard case .systemCall(_, let number) = fault else { return "\(fault)" }
        switch (bind, number) {
        case (.unix, EADDRINUSE): return "another process listens on it"
        case (.unix, EEXIST): return "a file that is no socket is there: remove it, or choose another path"
        default: return systemMessage(number)
        }
    }
}

extension UnixSocketFile.Access {
    init(_ listener: ListenerSettings) {
        self.init(
            mode: listener.socket.mode ?? (listener.callers == nil ? 0o600 : 0o666), user: listener.socket.user,
            group: listener.socket.group)
    }
}
