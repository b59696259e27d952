import Testing

@testable import Control

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
