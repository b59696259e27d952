public import KubernetesAPI

/// Decides what is to be written so that each workload has the settings that its policies say. Pure: changes of the
/// cluster and results of writes in, writes out; it may be asked at any time, and asks for nothing that is already so.
public struct Reconciler {
    /// A change of one object. Applied only to the version that was read, else the server answers 409.
    public enum Write: Hashable, Sendable {
        case create(ObjectKey, JSONValue)
        /// JSON merge patch of a ConfigMap.
        case patch(ObjectKey, JSONValue)
        /// Of a ConfigMap that no pod names.
        case delete(ObjectKey, resourceVersion: String)
        /// JSON patch of the status of a policy.
        case status(ObjectKey, JSONValue)

        var key: ObjectKey {
            switch self {
            case .create(let key, _), .patch(let key, _), .delete(let key, _), .status(let key, _): key
            }
        }
    }

    /// What is told by logs and metrics.
    public struct Figures: Hashable, Sendable {
        public var policies = 0
        public var refusedPolicies = 0
        public var workloads = 0
        public var failedWorkloads = 0
    }

    /// The ConfigMap of a namespace's settings.
    let baseName: String
    /// Of one namespace.
    var policiesAtMost = 1_000
    private(set) var policies = ObjectStore<PosternPolicy>()
    private(set) var pods = ObjectStore<InjectedPod>()
    private(set) var bases = ObjectStore<SettingsMap>()
    /// Of ours: those with the label.
    private(set) var maps = ObjectStore<WrittenMap>()
    /// ConfigMaps that exist and are not ours.
    private(set) var foreign: Set<ObjectKey> = []
    /// Why the last write of a ConfigMap failed.
    private(set) var failures: [ObjectKey: String] = [:]
    /// By namespace and name.
    var judgements: [String: [String: Judgement]] = [:]
    var settlements: [String: [String: Settlement]] = [:]
    var figures: [String: Figures] = [:]
    private var pending: Set<String> = []
    /// Namespaces in which a write failed, and when to try again, in monotonic milliseconds. A change comes first.
    private var retries: [String: Int64] = [:]
    private var delays: [String: RetryDelays] = [:]
    private var missing: Set<Source>
    private var resyncAt: Int64 = 0

    /// A collection that is read.
    public struct Source: Hashable, Sendable {
        public enum Kind: Hashable, Sendable, CaseIterable { case policies, pods, bases, maps }

        public let kind: Kind
        /// Nil: of all namespaces.
        public let namespace: String?
    }

    /// - Parameter namespaces: those that are looked after; nil for all.
    public init(baseName: String, namespaces: [String]?) {
        self.baseName = baseName
        let scopes: [String?] = namespaces ?? [nil]
        missing = Set(scopes.flatMap { scope in Source.Kind.allCases.map { Source(kind: $0, namespace: scope) } })
    }

    /// What has to be read; nothing is written before all of it has been.
    public var sources: Set<Source> { missing }
    public var isSynchronized: Bool { missing.isEmpty }

    public var total: Figures {
        figures.values.reduce(into: Figures()) {
            $0.policies += $1.policies
            $0.refusedPolicies += $1.refusedPolicies
            $0.workloads += $1.workloads
            $0.failedWorkloads += $1.failedWorkloads
        }
    }

    // MARK: Changes

    public mutating func take(_ change: CollectionChange<PosternPolicy>, from source: Source) {
        note(change, source)
        changed(policies.take(change, scope: source.namespace))
    }

    public mutating func take(_ change: CollectionChange<InjectedPod>, from source: Source) {
        note(change, source)
        switch change {
        // Most pods have no sidecar.
        case .replaced(let listed):
            let injected = listed.filter { $0.settings != nil }
            changed(pods.take(.replaced(injected), scope: source.namespace))
        case .changed(let pod) where pod.settings == nil:
            if pods[ObjectKey(pod.metadata)] != nil { changed(pods.take(.removed(pod), scope: nil)) }
        case .changed(let pod):
            let known = pods[ObjectKey(pod.metadata)]
            let isNews =
                known?.settings != pod.settings || known?.metadata.labels != pod.metadata.labels
                || known?.owner != pod.owner
            let concerned = pods.take(change, scope: source.namespace)
            if isNews { changed(concerned) }
        case .removed(let pod):
            if pods[ObjectKey(pod.metadata)] != nil { changed(pods.take(change, scope: source.namespace)) }
        case .interrupted: break
        }
    }

    public mutating func take(_ change: CollectionChange<SettingsMap>, from source: Source) {
        note(change, source)
        changed(bases.take(change, scope: source.namespace))
    }

    public mutating func take(_ change: CollectionChange<WrittenMap>, from source: Source) {
        note(change, source)
        changed(maps.take(change, scope: source.namespace))
    }

    /// A write has succeeded, with this object as the result.
    public mutating func wrote(_ write: Write, _ result: JSONValue) {
        let key = write.key
        switch write {
        case .create, .patch:
            succeeded(key)
            if let map = try? result.decoded(as: WrittenMap.self) { maps.set(map) }
        case .delete: deleted(key)
        // Nothing follows from a status, and a server with another schema may not keep all of it.
        case .status:
            if retries[key.namespace] == nil { delays[key.namespace] = nil }
            if let policy = try? result.decoded(as: PosternPolicy.self) { policies.set(policy) }
        }
    }

    /// A write has failed; it is tried again later, from what is known then.
    public mutating func failed(_ write: Write, _ fault: APIFault, now: Int64, random: Double) {
        let namespace = write.key.namespace
        switch write {
        case .create(let key, _) where fault.alreadyExists:
            foreign.insert(key)
            pending.insert(namespace)
            return
        case .delete(let key, _) where fault.isNotFound:
            deleted(key)
            return
        // It was deleted meanwhile.
        case .status where fault.isNotFound: return
        case .create(let key, _), .patch(let key, _), .delete(let key, _):
            if !fault.isConflict { failures[key] = "\(fault)" }
        case .status: break
        }
        let delay = delays[namespace, default: RetryDelays()].next(
            afterSeconds: fault.retryAfterSeconds, random: random)
        retries[namespace] = now + Int64(delay)
    }

    private mutating func deleted(_ key: ObjectKey) {
        maps.remove(key)
        succeeded(key)
    }

    private mutating func succeeded(_ key: ObjectKey) {
        failures[key] = nil
        retries[key.namespace] = nil
        delays[key.namespace] = nil
        pending.insert(key.namespace)
    }

    private mutating func changed(_ namespaces: Set<String>) {
        pending.formUnion(namespaces)
        for namespace in namespaces { retries[namespace] = nil }
    }

    private mutating func note<Object>(_ change: CollectionChange<Object>, _ source: Source) {
        if case .replaced = change { missing.remove(source) }
    }

    // MARK: Writes

    /// What is to be written now. Ask again after each result and each change.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - time: of the conditions of a status, as RFC 3339.
    public mutating func writes(now: Int64, time: String) -> [Write] {
        guard isSynchronized else { return [] }
        if now >= resyncAt {
            let namespaces = policies.namespaces.union(pods.namespaces).union(maps.namespaces)
            // ConfigMaps of others may be gone.
            foreign = []
            failures = failures.filter { namespaces.contains($0.key.namespace) }
            pending.formUnion(namespaces)
            resyncAt = now + Self.resyncMilliseconds
        }
        for (namespace, time) in retries where now >= time {
            retries[namespace] = nil
            pending.insert(namespace)
        }
        var writes: [Write] = []
        for namespace in pending.sorted() where retries[namespace] == nil {
            pending.remove(namespace)
            let (some, isAll) = self.writes(in: namespace, time: time)
            // The others have their turn before the rest.
            if !isAll { pending.insert(namespace) }
            writes += some
        }
        return writes
    }

    /// Milliseconds until it has to be asked again, without any change.
    public func wait(now: Int64) -> Int {
        guard !isSynchronized || !pending.contains(where: { retries[$0] == nil }) else { return 0 }
        let next = retries.values.min() ?? .max
        return Int(max(0, min(resyncAt, next) - now))
    }

    private static let resyncMilliseconds: Int64 = 60_000
}
