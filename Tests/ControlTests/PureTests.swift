import Policy
import Settings
import Testing

@testable import Control

@Suite("Descriptors for connections")
struct DescriptorLimitTests {
    @Test(
        "are what is left of the limit beside a proxy's own, and at least half of it",
        arguments: [(64, 16), (100, 25), (1_024, 439), (1_048_576, 524_215), (0, 1)])
    func room(descriptors: Int, connections: Int) {
        #expect(DescriptorLimit.connections(of: descriptors, listeners: 1, workers: 2) == connections)
    }
}

@Suite("Memory for what grows with peers")
struct MemoryQuotaTests {
    @Test(
        "is 256 MiB, or half of what a control group of either version allows where that is less",
        arguments: [
            ([], nil, 256), (["max\n"], nil, 256), (["max\n", "67108864\n"], nil, 32),
            (["67108864\n", "134217728\n"], nil, 32), (["8589934592\n"], nil, 256),
            ([], "67108864\n", 32), ([], "9223372036854771712\n", 256), (["max\n"], "134217728\n", 64),
            (["1048576\n"], nil, 8), (["nonsense\n"], "-1\n", 256), ([""], "", 256),
        ] as [([String], String?, Int)])
    func quota(unified: [String], legacy: String?, mebibytes: Int) {
        #expect(MemoryQuota.defaultBytes(unified: unified, legacy: [legacy].compactMap(\.self)) == mebibytes << 20)
    }

    @Test("is enough for as many workers as have 8 MiB each, and for one always")
    func workers() {
        #expect(MemoryQuota.workers(bytes: 256 << 20) == 32)
        #expect(MemoryQuota.workers(bytes: 8 << 20) == 1 && MemoryQuota.workers(bytes: 0) == 1)
    }

    @Test("the group of a controller of its own is found by its name")
    func legacyGroup() {
        let membership = "5:cpu,cpuacct:/a/b\n4:memory:/kubepods/pod1\n0::/\n"
        #expect(ControlGroup.legacyGroup("memory", membership: membership) == "/kubepods/pod1")
        #expect(ControlGroup.legacyGroup("cpuacct", membership: membership) == "/a/b")
        #expect(ControlGroup.legacyGroup("pids", membership: membership) == "/")
    }

    @Test("a group's limit stands in its own file and in those of its ancestors")
    func files() {
        #expect(
            ControlGroup.unifiedFiles("memory.max", group: "/kubepods/pod1") == [
                "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/kubepods/memory.max",
                "/sys/fs/cgroup/kubepods/pod1/memory.max",
            ])
    }
}

@Suite("Applications that can be reached without the proxy")
struct ApplicationExposureTests {
    private let table = SocketTable(
        v4: """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
               1: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
               2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3
               3: 00000000:1F92 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4
            """,
        v6: """
               0: 00000000000000000000000000000000:1F93 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 5
               1: 00000000000000000000000001000000:1F94 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 6
            """)

    @Test(
        "are those that listen on every address, and on no narrower one that the proxy would reach instead",
        arguments: [
            ("127.0.0.1", 0x1F90, true), ("127.0.0.1", 0x1F91, false), ("127.0.0.1", 0x1F92, false),
            ("127.0.0.1", 0x1F93, true), ("::1", 0x1F93, true), ("::1", 0x1F94, false), ("127.0.0.1", 0x1F95, false),
        ] as [(String, UInt16, Bool)])
    func open(address: String, port: UInt16, isOpen: Bool) throws {
        let endpoint = Endpoint(address: try #require(IPAddress(parsing: address)), port: port)
        #expect(table.isOpenToAll(endpoint) == isOpen)
        let application = ApplicationExposure.Application(
            endpoint: endpoint, position: Position(file: "p.yaml", line: 1, column: 2))
        let told = ApplicationExposure.warnings([application], boundByUs: [], table).map(\.description)
        #expect(told.count == (isOpen ? 1 : 0))
        #expect(
            told.allSatisfy { $0.hasPrefix("p.yaml:1:2: warning: the application at \(endpoint) listens on every") })
        let ours = Endpoint(address: .v4(0), port: port)
        #expect(ApplicationExposure.warnings([application], boundByUs: [ours], table).isEmpty)
    }
}

@Suite("What a source says many times a second")
struct CoalescedTests {
    @Test("is acted on once in a while, in its last state, and not at all where that is the one in use")
    func coalesced() {
        var coalesced = Coalesced<Int>(intervalMilliseconds: 500)
        #expect(coalesced.take(now: 0) == nil && coalesced.dueAt == nil)
        coalesced.put(1)
        // Whoever waits until then takes one from the other.
        #expect(coalesced.dueAt == 0)
        #expect(coalesced.take(now: 0) == 1)
        for number in 2...1_000 { coalesced.put(number) }
        #expect(coalesced.take(now: 499) == nil && coalesced.dueAt == 500)
        #expect(coalesced.take(now: 500) == 1_000)
        coalesced.put(1_000)
        #expect(coalesced.dueAt == nil)
        // Back to what is in use: nothing is left to do.
        coalesced.put(7)
        coalesced.put(1_000)
        #expect(coalesced.take(now: 2_000) == nil)
        coalesced.forget()
        coalesced.put(1_000)
        #expect(coalesced.take(now: 2_000) == 1_000)
        coalesced.put(8)
        coalesced.clear()
        #expect(coalesced.take(now: 9_000) == nil)
        coalesced.put(1_000)
        #expect(coalesced.take(now: 9_000) == 1_000)
    }
}

@Suite("The CPU quota")
struct CPUQuotaTests {
    @Test(
        "a cpu.max is CPUs, or no limit",
        arguments: [
            ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000", 1.5), ("5000 100000", 0.05), ("", nil),
            ("-1 100000", nil), ("100000", nil), ("100000 0", nil), ("a b", nil),
        ] as [(String, Double?)])
    func cpuMax(text: String, quota: Double?) {
        #expect(CPUQuota.quota(cpuMax: text) == quota)
    }

    @Test("cgroup v1 says -1 where nothing limits")
    func legacy() {
        #expect(CPUQuota.legacyQuota("-1\n", period: "100000\n") == nil)
        #expect(CPUQuota.legacyQuota("250000\n", period: "100000\n") == 2.5)
        #expect(CPUQuota.legacyQuota(nil, period: nil) == nil)
    }

    @Test(
        "the CPUs that a process may run on are counted over ranges",
        arguments: [("0", 1), ("0-1", 2), ("0-3,8,10-11", 7), ("x", nil), ("", nil)] as [(String, Int?)])
    func allowed(list: String, count: Int?) {
        #expect(CPUQuota.allowedCPUs(status: "Name:\tx\nCpus_allowed_list:\t\(list)\nMems:\t0\n") == count)
    }

    @Test(
        "workers are the tightest quota rounded up, at least one, at most the CPUs",
        arguments: [
            (8, [], 8), (8, [0.05], 1), (8, [1.0], 1), (8, [1.01], 2), (8, [4, 2.5], 3), (2, [64], 2), (0, [], 1),
        ] as [(Int, [Double], Int)])
    func workers(allowed: Int, quotas: [Double], workers: Int) {
        #expect(CPUQuota.workers(allowed: allowed, quotas: quotas) == workers)
    }

    @Test("the group of cgroup v2 is found among those of v1")
    func membership() {
        #expect(ControlGroup.unifiedGroup(membership: "2:cpu:/a\n0::/b/c\n") == "/b/c")
        #expect(ControlGroup.unifiedGroup(membership: "2:cpu:/a\n") == "/")
    }

    @Test("this machine gives at least one worker")
    func here() {
        #expect(CPUQuota.workers() >= 1)
    }
}

@Suite("The life of a proxy")
struct ProxyLifecycleTests {
    @Test("it is ready when the last worker serves, and says until then who is missing")
    func ready() {
        var life = ProxyLifecycle(workerCount: 2)
        #expect(life.readiness == .notReady(reason: "starting: no word yet from worker 0, 1"))
        #expect(life.workerServes(1) == .nothing)
        #expect(life.readiness == .notReady(reason: "starting: no word yet from worker 0"))
        #expect(life.workerServes(0) == .announceReady)
        #expect(life.readiness == .ready)
    }

    @Test("the first signal drains, the second cuts, and the last worker's end is the end")
    func drain() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        _ = life.workerServes(1)
        #expect(life.terminationAsked(now: 5_000) == .drain)
        #expect(life.readiness == .notReady(reason: "draining"))
        // `timeout` and a shell that ends its group send it twice.
        #expect(life.terminationAsked(now: 5_000) == .nothing)
        #expect(life.terminationAsked(now: 5_999) == .nothing)
        #expect(life.terminationAsked(now: 6_000) == .cut)
        #expect(life.workerFinished(0, cut: 0) == .nothing)
        #expect(life.workerFinished(1, cut: 3) == .end(.cut(connections: 3)))
    }

    @Test("a worker that fails takes the others along, and the end says why")
    func failure() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        #expect(life.workerFailed(1, reason: "no ring") == .drain)
        #expect(life.readiness == .notReady(reason: "worker 1 failed: no ring"))
        #expect(life.workerServes(0) == .nothing)
        #expect(life.workerFinished(0, cut: 0) == .end(.failed(reason: "worker 1 failed: no ring")))
    }

    @Test("a single worker that fails is the end at once")
    func singleFailure() {
        var life = ProxyLifecycle(workerCount: 1)
        #expect(life.workerFailed(0, reason: "x") == .end(.failed(reason: "worker 0 failed: x")))
        #expect(life.workerFailed(0, reason: "again") == .nothing)
    }

    @Test("a signal before any worker serves ends it too")
    func early() {
        var life = ProxyLifecycle(workerCount: 1)
        #expect(life.terminationAsked(now: 0) == .drain)
        #expect(life.workerServes(0) == .nothing)
        #expect(life.workerFinished(0, cut: 0) == .end(.drained))
    }
}

@Suite("The pages of the start")
struct StartupPagesTests {
    @Test("only whole, read-only, unchanged mappings of files are given back")
    func choice() {
        func entry(_ start: String, _ end: String, _ permissions: String, _ path: String, anonymous: Int) -> String {
            """
            \(start)-\(end) \(permissions) 00002000 fe:00 12345                      \(path)
            Size:                  8 kB
            Anonymous:             \(anonymous) kB
            VmFlags: rd ex mr mw me

            """
        }
        let smaps =
            entry("1000", "3000", "r-xp", "/usr/bin/postern", anonymous: 0)
            + entry("3000", "4000", "r--p", "/usr/bin/postern", anonymous: 4)
            + entry("4000", "5000", "rw-p", "/usr/bin/postern", anonymous: 0)
            + entry("5000", "6000", "r--p", "", anonymous: 0)
            + entry("6000", "7000", "r-xp", "[vdso]", anonymous: 0)
            + entry("7000", "9000", "r--s", "/shared", anonymous: 0)
            + entry("a000", "b000", "r--p", "/lib/x y.so (deleted)", anonymous: 0)
        #expect(StartupPages.untouchedMappings(smaps: smaps) == [0x1000..<0x3000, 0xA000..<0xB000])
    }

    @Test("the process goes on after it")
    func goesOn() {
        StartupPages.release()
        #expect([3, 1, 2].sorted() == [1, 2, 3])
    }
}
