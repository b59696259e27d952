import KubernetesAPI
import Testing

@testable import PolicyController

@Suite("What the controller writes")
struct ReconcilerTests {
    @Test("a workload has its namespace's settings, a policy changes them, and the status says so")
    func life() throws {
        var cluster = try Self.shop()
        #expect(cluster.text("shop", "orders-policies")?.hasSuffix(Base.text) == true)
        let owner = cluster.maps[ObjectKey("shop", "orders-policies")]?["metadata"]?["ownerReferences"]?.list?.first
        #expect(owner?["name"] == "rs" && owner?["controller"] == nil)
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "other/sa/a")
        #expect(cluster.condition("shop", "p", "Accepted").status == "True")
        #expect(cluster.condition("shop", "p", "Programmed") == ("True", "Programmed", "1 workload"))
        #expect(cluster.policies[ObjectKey("shop", "p")]?["status"]?["observedGeneration"] == 1)
        // Nothing is written again.
        let before = cluster.writes.count
        cluster.now += 100_000
        try cluster.settle()
        #expect(cluster.writes.count == before)
        try cluster.delete("shop", "p")
        try cluster.settle()
        #expect(cluster.text("shop", "orders-policies")?.hasSuffix(Base.text) == true)
    }

    @Test("a flawed version changes nothing, also after a restart, until there is a sound one")
    func flawed() throws {
        var cluster = try Self.shop()
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        try cluster.settle()
        let first = cluster.condition("shop", "p", "Accepted")
        cluster.now += 5_000
        try cluster.apply("shop", "p", spec([("allow", "**/x")]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "other/sa/a")
        #expect(first.status == "True")
        let accepted = cluster.condition("shop", "p", "Accepted")
        #expect(
            accepted.status == "False" && accepted.message.hasPrefix("spec.rules[0].identities[0]: "), "\(accepted)")
        #expect(cluster.condition("shop", "p", "Programmed").reason == "OldVersion")
        // Another process knows only the objects.
        let text = cluster.text("shop", "orders-policies")
        cluster.reconciler = FakeCluster(listed: false).reconciler
        cluster.list()
        try Self.populate(&cluster)
        try cluster.settle()
        #expect(cluster.text("shop", "orders-policies") == text)
        try cluster.apply("shop", "p", spec([("allow", "shop/**")]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "shop/sa/cart")
        #expect(cluster.condition("shop", "p", "Programmed").status == "True")
    }

    @Test("a policy that was flawed from the start lets nobody in, and says so")
    func neverAccepted() throws {
        var cluster = try Self.shop()
        try cluster.apply("shop", "p", spec([("deny", "**/x")], target: ["route": "orders"]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "")
        #expect(try Base.lets(cluster.text("shop", "orders-policies"), route: "rest") == "shop/sa/cart")
        let programmed = cluster.condition("shop", "p", "Programmed")
        #expect(programmed.reason == "NotAccepted" && programmed.message.contains("nobody is let in"))
        #expect(cluster.policies[ObjectKey("shop", "p")]?["status"]?["accepted"] == nil)
    }

    @Test("what one namespace does concerns no other")
    func namespaces() throws {
        var cluster = try Self.shop()
        let text = cluster.text("shop", "orders-policies")
        try cluster.base("evil", Base.text)
        try cluster.pod("evil", "a", labels: ["app": "orders"], settings: "orders-policies")
        try cluster.apply("evil", "p", spec([("allow", "**/x")]))
        for number in 0..<50 {
            try cluster.apply("evil", "q\(number)", spec([("allow", "evil/**")]))
            try cluster.pod("evil", "b\(number)", labels: [:], settings: "b\(number)-policies")
        }
        // One round has a part of it, and all that is of the others.
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        let round = cluster.reconciler.writes(now: 0, time: "T")
        #expect(round.count { $0.key.namespace == "evil" } == Reconciler.writesInRound)
        #expect(round.contains { $0.key.namespace == "shop" })
        try cluster.apply("shop", "p", spec([("allow", "shop/**")]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("evil", "orders-policies")) == "")
        #expect(try Base.lets(cluster.text("evil", "b7-policies")) == "")
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "shop/sa/cart")
        #expect(text != nil && cluster.condition("evil", "q1", "Programmed").reason == "NotProgrammed")
        // More policies than are read: its workloads keep what they have.
        let kept = cluster.text("evil", "b7-policies")
        cluster.reconciler.policiesAtMost = 60
        for number in 0..<60 {
            try cluster.apply("evil", "r\(number)", spec([("allow", "evil/**")]))
        }
        try cluster.settle()
        #expect(cluster.text("evil", "b7-policies") == kept)
        #expect(cluster.condition("evil", "q1", "Accepted").message.contains("more than 60 policies"))
        #expect(cluster.reconciler.total.failedWorkloads == 51)
    }

    @Test("settings that are flawed or gone leave workloads as they are, with the reason")
    func base() throws {
        var cluster = try Self.shop()
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        try cluster.settle()
        let text = cluster.text("shop", "orders-policies")
        for (base, reason) in [("listeners: 5", "is refused"), (nil, "there is no ConfigMap")] as [(String?, String)] {
            try cluster.base("shop", base)
            try cluster.apply("shop", "p", spec([("deny", "other/**")]))
            try cluster.settle()
            #expect(cluster.text("shop", "orders-policies") == text)
            #expect(cluster.workload("shop", "p")?.contains(reason) == true)
            #expect(cluster.condition("shop", "p", "Programmed").status == "False")
        }
        #expect(cluster.reconciler.total.failedWorkloads == 1)
    }

    @Test("nothing is written before all collections were read")
    func unread() throws {
        var cluster = FakeCluster(listed: false)
        try Self.populate(&cluster)
        #expect(cluster.reconciler.writes(now: 0, time: "T").isEmpty && !cluster.reconciler.isSynchronized)
    }

    @Test("a ConfigMap that others have changed is put right, one that others have made is left alone")
    func drift() throws {
        var cluster = try Self.shop()
        let text = cluster.text("shop", "orders-policies")
        try cluster.put("shop", "orders-policies", data: ["postern.yaml": "x", "other.yaml": "y"])
        try cluster.settle()
        #expect(cluster.text("shop", "orders-policies") == text)
        #expect(cluster.maps[ObjectKey("shop", "orders-policies")]?["data"]?["other.yaml"] == nil)

        cluster.fault = { write in
            write.key.name == "foreign-policies"
                ? .refused(status: 409, reason: "AlreadyExists", message: "", retryAfterSeconds: nil) : nil
        }
        try cluster.pod("shop", "c", labels: ["app": "c"], settings: "foreign-policies")
        try cluster.apply("shop", "p", spec([("allow", "other/**")], selector: ["matchLabels": ["app": "c"]]))
        try cluster.settle()
        #expect(cluster.text("shop", "foreign-policies") == nil)
        #expect(cluster.workload("shop", "p")?.contains("is not the controller's") == true)
    }

    @Test("pods whose settings are not the controller's are said, and those that have ended are forgotten")
    func others() throws {
        var cluster = try Self.shop()
        try cluster.pod("shop", "c", labels: ["app": "c"], settings: "postern-settings")
        try cluster.apply("shop", "p", spec([("allow", "other/**")], selector: ["matchLabels": ["app": "c"]]))
        try cluster.settle()
        #expect(cluster.workload("shop", "p")?.contains("ends in -policies") == true)
        try cluster.pod("shop", "c", labels: ["app": "c"], settings: "postern-settings", phase: "Succeeded")
        try cluster.settle()
        #expect(cluster.condition("shop", "p", "Programmed").reason == "NoWorkloads")
        // The settings of a workload without pods go: the next pod waits for its own.
        for name in ["a", "b"] {
            try cluster.pod("shop", name, labels: ["app": "orders"], settings: "orders-policies", phase: "Failed")
        }
        try cluster.settle()
        #expect(cluster.maps.isEmpty)
        try cluster.pod("shop", "d", labels: ["app": "orders"], settings: "orders-policies")
        try cluster.settle()
        #expect(cluster.text("shop", "orders-policies") != nil)
    }

    @Test("writes that fail are tried again later, and a change is tried at once")
    func failures() throws {
        var cluster = try Self.shop()
        cluster.fault = { write in
            if case .status = write { return nil }
            return .refused(status: 403, reason: "Forbidden", message: "quota", retryAfterSeconds: nil)
        }
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        try cluster.settle()
        #expect(cluster.text("shop", "orders-policies")?.hasSuffix(Base.text) == true)
        let wait = cluster.reconciler.wait(now: cluster.now)
        #expect(wait > 0 && wait <= 60_000)
        cluster.now += Int64(wait)
        try cluster.settle()
        #expect(cluster.workload("shop", "p")?.contains("403 Forbidden: quota") == true)
        cluster.fault = { _ in nil }
        try cluster.apply("shop", "p", spec([("allow", "shop/**")]))
        try cluster.settle()
        #expect(try Base.lets(cluster.text("shop", "orders-policies")) == "shop/sa/cart")
        #expect(cluster.condition("shop", "p", "Programmed").status == "True")
    }

    @Test("what is old in a watch does not undo what is known")
    func stale() throws {
        var cluster = try Self.shop()
        let old = try #require(cluster.maps[ObjectKey("shop", "orders-policies")])
        try cluster.apply("shop", "p", spec([("allow", "other/**")]))
        try cluster.settle()
        let before = cluster.writes.count
        cluster.reconciler.take(
            .changed(try old.decoded(as: WrittenMap.self)), from: Reconciler.Source(kind: .maps, namespace: nil))
        try cluster.settle()
        #expect(cluster.writes.count == before)
    }

    /// Two pods of the workload `orders`.
    private static func shop() throws -> FakeCluster {
        var cluster = FakeCluster()
        try populate(&cluster)
        try cluster.settle()
        return cluster
    }

    private static func populate(_ cluster: inout FakeCluster) throws {
        try cluster.base("shop", Base.text)
        for name in ["a", "b"] {
            try cluster.pod("shop", name, labels: ["app": "orders"], settings: "orders-policies")
        }
    }
}
