import Testing

@testable import Control

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
