import KubernetesAPI
import Settings

/// One namespace, of which no other one is a part.
extension Reconciler {
    /// What is to be written, in part: a namespace has a share of each round, so that no other one waits for it long.
    mutating func writes(in namespace: String, time: String) -> (writes: [Write], isAll: Bool) {
        let workloads = Dictionary(grouping: pods.all(in: namespace)) { $0.settings ?? "" }
        let policies = policies.all(in: namespace)
        guard policies.count <= policiesAtMost else {
            return share(refuse(policies, workloads.count, namespace, time), isAll: true)
        }
        let judged = judge(policies, namespace)
        var compilationsLeft = Self.compilationsInRound
        var writes: [Write] = []
        var reports: [String: [WorkloadReport]] = [:]
        var settlements: [String: Settlement] = [:]
        var isSettled = true
        var counted = Figures(
            policies: judged.count, refusedPolicies: judged.count { !$0.judgement.effective.isAccepted })
        // Those that cannot be written come last.
        let order = workloads.keys.map { (failures[ObjectKey(namespace, $0)] == nil ? 0 : 1, $0) }.sorted(by: <)
        for (_, name) in order {
            let pods = workloads[name] ?? []
            let selected = Self.selected(judged.map(\.judgement), pods)
            var (problem, remarks): (String?, [String: String]) = (nil, [:])
            if !name.hasSuffix(Self.suffix) {
                problem = Self.unmanaged
            } else if counted.workloads == Self.workloadsAtMost {
                problem = Self.tooManyWorkloads
                counted.failedWorkloads += 1
            } else {
                counted.workloads += 1
                let (settlement, write) = settle(ObjectKey(namespace, name), pods, selected, &compilationsLeft)
                settlements[name] = settlement
                isSettled = isSettled && settlement != nil
                (problem, remarks) = (settlement?.problem, settlement?.remarks ?? [:])
                if let write {
                    writes.append(write)
                    problem = problem ?? failures[write.key] ?? "not written yet"
                }
                if problem != nil { counted.failedWorkloads += 1 }
            }
            for policy in selected.map(\.policy.name) {
                reports[policy, default: []].append(WorkloadReport(name: name, problem: problem ?? remarks[policy]))
            }
        }
        self.settlements[namespace] = settlements.isEmpty ? nil : settlements
        writes += unnamed(in: namespace, named: Set(workloads.keys))
        count(counted, namespace)
        // What the status says follows from the settings: first these, unless they cannot be written.
        if isSettled, writes.allSatisfy({ failures[$0.key] != nil }) {
            writes += judged.compactMap { policy, judgement in
                PolicyStatus(policy, judgement.effective, reports[policy.name] ?? [], time: time).patch(of: policy)
                    .map { .status(ObjectKey(policy.metadata), $0) }
            }
        }
        return share(writes, isAll: isSettled)
    }

    private func share(_ writes: [Write], isAll: Bool) -> ([Write], Bool) {
        (Array(writes.prefix(Self.writesInRound)), isAll && writes.count <= Self.writesInRound)
    }

    // MARK: Policies

    /// The policies of a namespace; those that have not changed are not judged again.
    private mutating func judge(
        _ policies: [PosternPolicy], _ namespace: String
    ) -> [(policy: PosternPolicy, judgement: Judgement)] {
        let known = judgements[namespace] ?? [:]
        let judged = policies.map { policy in
            let old = known[policy.name].flatMap { $0.isOf(policy) ? $0 : nil }
            return (policy, old ?? Judgement(policy))
        }
        judgements[namespace] =
            judged.isEmpty ? nil : Dictionary(judged.map { ($0.0.name, $0.1) }, uniquingKeysWith: { $1 })
        return judged
    }

    /// What there is to write where there are too many: workloads keep what they have.
    private mutating func refuse(
        _ policies: [PosternPolicy], _ workloads: Int, _ namespace: String, _ time: String
    ) -> [Write] {
        judgements[namespace] = nil
        count(
            Figures(
                policies: policies.count, refusedPolicies: policies.count, workloads: workloads,
                failedWorkloads: workloads), namespace)
        let problem = PolicyProblem(
            "metadata.namespace",
            "it has more than \(policiesAtMost) policies, so that its workloads keep the settings that they have")
        return policies.prefix(policiesAtMost).compactMap { policy in
            let effective = EffectivePolicy(policy, unread: problem)
            return PolicyStatus(policy, effective, [], time: time).patch(of: policy)
                .map { .status(ObjectKey(policy.metadata), $0) }
        }
    }

    /// Those that select a pod of the workload.
    private static func selected(_ judgements: [Judgement], _ pods: [InjectedPod]) -> [SelectedPolicy] {
        judgements.compactMap { judgement in
            judgement.effective.checked.flatMap {
                SelectedPolicy($0, digest: judgement.digest, pods: pods.map(\.metadata))
            }
        }
    }

    // MARK: Workloads

    /// What makes the settings of a workload what they must be.
    ///
    /// - Returns: nil for one that has to wait for the next round.
    private func settle(
        _ key: ObjectKey, _ pods: [InjectedPod], _ policies: [SelectedPolicy], _ compilationsLeft: inout Int
    ) -> (Settlement?, Write?) {
        let base = bases[ObjectKey(key.namespace, baseName)]
        var hasher = Hasher()
        hasher.combine(base?.settings)
        for policy in policies {
            hasher.combine(policy.digest)
            hasher.combine(policy.selectsAll)
        }
        let source = hasher.finalize()
        let owners = owners(of: pods)
        if let old = settlements[key.namespace]?[key.name], old.source == source {
            if old.digest == nil { return (old, nil) }
            if let map = maps[key], map.digest == old.digest, isOwned(map, by: owners) { return (old, nil) }
        }
        guard compilationsLeft > 0 else { return (nil, nil) }
        compilationsLeft -= 1
        let compilation = Compilation(base: base, baseName: baseName, policies: policies)
        let data = compilation.text.map { [SettingsMap.key: $0] }
        var problem = compilation.problem
        var write = data.flatMap { self.write(key, $0, owners) }
        if maps[key] == nil, foreign.contains(key) {
            write = nil
            problem =
                "the ConfigMap \(quoted(key.name)) exists and is not the controller's: it has no label "
                + "\(Self.label); delete it, or name another one"
        }
        let settlement = Settlement(
            source: source, digest: data.map(WrittenMap.digest), problem: problem, remarks: compilation.remarks)
        return (settlement, write)
    }

    /// Deletes ConfigMaps of ours that no pod names. A pod that comes later waits for its own, and does not start with
    /// what was right when the last one ended.
    private func unnamed(in namespace: String, named: Set<String>) -> [Write] {
        maps.all(in: namespace).compactMap { map in
            let key = ObjectKey(map.metadata)
            guard key.name.hasSuffix(Self.suffix), !named.contains(key.name) else { return nil }
            return .delete(key, resourceVersion: map.metadata.resourceVersion ?? "")
        }
    }

    /// Nil where the ConfigMap is what it must be.
    private func write(_ key: ObjectKey, _ data: [String: String], _ owners: [OwnerReference]) -> Write? {
        let references = JSONValue.list(
            owners.map { owner in
                [
                    "apiVersion": .text(owner.apiVersion), "kind": .text(owner.kind), "name": .text(owner.name),
                    "uid": .text(owner.uid),
                ]
            })
        let values = data.mapValues { JSONValue.text($0) }
        guard let map = maps[key] else {
            return .create(
                key,
                [
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": [
                        "name": .text(key.name), "namespace": .text(key.namespace), "ownerReferences": references,
                        "labels": .object([Self.labelName: .text(Self.labelValue)]),
                    ],
                    "data": .object(values),
                ])
        }
        guard map.digest != WrittenMap.digest(data) || !isOwned(map, by: owners) else { return nil }
        let others = map.keys.filter { data[$0] == nil }.map { ($0, JSONValue.null) }
        return .patch(
            key,
            [
                "metadata": [
                    "resourceVersion": .text(map.metadata.resourceVersion ?? ""), "ownerReferences": references,
                ],
                "data": .object(values.merging(others) { $1 }),
            ])
    }

    /// Who makes the pods, so that the ConfigMap goes when they are gone.
    private func owners(of pods: [InjectedPod]) -> [OwnerReference] {
        Array(Set(pods.compactMap(\.owner)).sorted { $0.uid < $1.uid }.prefix(Self.ownersAtMost))
    }

    private func isOwned(_ map: WrittenMap, by owners: [OwnerReference]) -> Bool {
        let known = (map.metadata.ownerReferences ?? []).map { reference in
            OwnerReference(
                apiVersion: reference.apiVersion, kind: reference.kind, name: reference.name, uid: reference.uid)
        }
        return Set(known) == Set(owners)
    }

    private mutating func count(_ counted: Figures, _ namespace: String) {
        figures[namespace] = counted == Figures() ? nil : counted
    }

    private static let unmanaged =
        "the settings are a ConfigMap that is not the controller's: name one that ends in \(suffix) in the annotation "
        + "`postern.dev/settings` of the pods"
    private static let tooManyWorkloads = "the namespace has more than \(workloadsAtMost) ConfigMaps of workloads"
    /// Of the names of ConfigMaps that are written here.
    public static let suffix = "-policies"
    static let labelName = "app.kubernetes.io/managed-by"
    static let labelValue = "postern-controller"
    /// Selects what this controller has written.
    public static var label: String { "\(labelName)=\(labelValue)" }
    /// Of one namespace; the others have what they have.
    static let workloadsAtMost = 1_000
    /// Of one namespace.
    static let writesInRound = 16
    private static let compilationsInRound = 16
    private static let ownersAtMost = 100
}
