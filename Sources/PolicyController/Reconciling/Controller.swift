public import Control
public import KubernetesAPI
public import Logging
import Synchronization
import System
import Telemetry

/// Runs the reconciler: a thread for each collection that is read, and one that writes. It ends with the process.
public final class Controller: Sendable {
    /// What the admin endpoint tells.
    public struct Report: Sendable {
        public var isSynchronized = false
        public var figures = Reconciler.Figures()
        public var writes: UInt64 = 0
        public var conflicts: UInt64 = 0
        public var failures: UInt64 = 0
        public var interruptions: UInt64 = 0
    }

    private enum Change: Sendable {
        case policies(CollectionChange<PosternPolicy>, Reconciler.Source)
        case pods(CollectionChange<InjectedPod>, Reconciler.Source)
        case bases(CollectionChange<SettingsMap>, Reconciler.Source)
        case maps(CollectionChange<WrittenMap>, Reconciler.Source)
    }

    private struct Shared {
        var changes: [Change] = []
        var report = Report()
    }

    private let client: APIClient
    private let logger: Logger
    private let baseName: String
    private let namespaces: [String]?
    private let shared = Mutex(Shared())
    private let wake: ControlWake

    /// - Parameters:
    ///   - baseName: of the ConfigMap with a namespace's settings.
    ///   - namespaces: nil for all.
    public init(
        _ client: APIClient, baseName: String, namespaces: [String]?, logger: Logger
    ) throws(ControlFault) {
        self.client = client
        self.logger = logger
        self.baseName = baseName
        self.namespaces = namespaces
        wake = try ControlWake()
    }

    public var report: Report { shared.withLock { $0.report } }

    /// Starts the threads.
    public func start() throws {
        let reconciler = Reconciler(baseName: baseName, namespaces: namespaces)
        for source in reconciler.sources { _ = try PosixThread { self.read(source) } }
        _ = try PosixThread { self.reconcile() }
    }

    // MARK: Reading

    private func read(_ source: Reconciler.Source) {
        switch source.kind {
        case .policies:
            CollectionReader<PosternPolicy>(
                client, ObjectPath(PosternPolicy.resource, namespace: source.namespace), pageLimit: Self.largeObjects
            ).run { self.post(.policies($0, source), $0, "posternpolicies") }
        case .pods:
            CollectionReader<InjectedPod>(client, ObjectPath(.pods, namespace: source.namespace))
                .run { self.post(.pods($0, source), $0, "pods") }
        case .bases:
            CollectionReader<SettingsMap>(
                client, ObjectPath(.configMaps, namespace: source.namespace),
                fieldSelector: "metadata.name=\(baseName)", pageLimit: Self.largeObjects
            ).run { self.post(.bases($0, source), $0, "configmaps") }
        case .maps:
            CollectionReader<WrittenMap>(
                client, ObjectPath(.configMaps, namespace: source.namespace), labelSelector: Reconciler.label,
                pageLimit: Self.largeObjects
            ).run { self.post(.maps($0, source), $0, "configmaps") }
        }
    }

    private func post<Object>(_ change: Change, _ kind: CollectionChange<Object>, _ resource: String) -> Bool {
        if case .interrupted(let fault, let milliseconds) = kind {
            logger.warning(
                "the API server cannot be asked; what is known stays",
                metadata: [
                    "resource": "\(resource)", "reason": "\(fault)",
                    "retryMilliseconds": .stringConvertible(milliseconds),
                ])
            shared.withLock { $0.report.interruptions += 1 }
            return true
        }
        shared.withLock { $0.changes.append(change) }
        wake.signal()
        return true
    }

    // MARK: Writing

    private func reconcile() {
        var reconciler = Reconciler(baseName: baseName, namespaces: namespaces)
        while true {
            for change in shared.withLock({ shared in
                defer { shared.changes = [] }
                return shared.changes
            }) {
                switch change {
                case .policies(let change, let source): reconciler.take(change, from: source)
                case .pods(let change, let source): reconciler.take(change, from: source)
                case .bases(let change, let source): reconciler.take(change, from: source)
                case .maps(let change, let source): reconciler.take(change, from: source)
                }
            }
            let time = CivilTime.rfc3339(unixSeconds: WallClock.seconds())
            let writes = reconciler.writes(now: MonotonicClock.milliseconds(), time: time)
            var fault: APIFault?
            for write in writes {
                // A server that does not answer takes its time with each request.
                if let fault { failed(write, fault, &reconciler) } else { fault = perform(write, &reconciler) }
            }
            shared.withLock { [reconciler] shared in
                shared.report.isSynchronized = reconciler.isSynchronized
                shared.report.figures = reconciler.total
            }
            guard writes.isEmpty else { continue }
            let wait = reconciler.isSynchronized ? reconciler.wait(now: MonotonicClock.milliseconds()) : 60_000
            _ = wake.wait(timeoutMilliseconds: Int32(clamping: max(wait, 1)))
            wake.clear()
        }
    }

    /// - Returns: the fault if the server cannot be reached.
    private func perform(_ write: Reconciler.Write, _ reconciler: inout Reconciler) -> APIFault? {
        do throws(APIFault) {
            let result: JSONValue
            switch write {
            case .create(let key, let object):
                result = try client.create(object, in: ObjectPath(.configMaps, namespace: key.namespace))
                log("the settings of a workload are created", key)
            case .patch(let key, let patch):
                let path = ObjectPath(.configMaps, namespace: key.namespace, name: key.name)
                result = try client.patch(path, .merge, patch)
                log("the settings of a workload are written", key)
            case .delete(let key, let version):
                let path = ObjectPath(.configMaps, namespace: key.namespace, name: key.name)
                try client.delete(path, resourceVersion: version)
                result = .null
                log("the settings of a workload without pods are deleted", key)
            case .status(let key, let patch):
                let path = ObjectPath(
                    PosternPolicy.resource, namespace: key.namespace, name: key.name, subresource: "status")
                result = try client.patch(path, .json, patch)
                logRefusal(result, key)
            }
            reconciler.wrote(write, result)
            shared.withLock { $0.report.writes += 1 }
            return nil
        } catch {
            failed(write, error, &reconciler)
            if !error.isConflict {
                logger.error(
                    "an object cannot be written",
                    metadata: [
                        "namespace": "\(write.key.namespace)", "name": "\(write.key.name)", "reason": "\(error)",
                    ])
            }
            if case .network = error { return error }
            return nil
        }
    }

    private func failed(_ write: Reconciler.Write, _ fault: APIFault, _ reconciler: inout Reconciler) {
        reconciler.failed(write, fault, now: MonotonicClock.milliseconds(), random: Double.random(in: 0..<1))
        shared.withLock { shared in
            if fault.isConflict { shared.report.conflicts += 1 } else { shared.report.failures += 1 }
        }
    }

    private func logRefusal(_ policy: JSONValue, _ key: ObjectKey) {
        let accepted = policy["status"]?["conditions"]?.list?.first { $0["type"]?.text == "Accepted" }
        guard let accepted, accepted["status"]?.text == "False" else { return }
        logger.warning(
            "a policy is refused",
            metadata: [
                "namespace": "\(key.namespace)", "policy": "\(key.name)",
                "reason": "\(accepted["message"]?.text ?? "")",
            ])
    }

    private func log(_ message: Logger.Message, _ key: ObjectKey) {
        logger.info(message, metadata: ["namespace": "\(key.namespace)", "configMap": "\(key.name)"])
    }

    /// In a page, each of which may have more than 1 MiB.
    private static let largeObjects = 16
}
