import Glibc

/// What this process has used, from /proc/self.
public struct ProcessFigures: Hashable, Sendable {
    /// Of user and system.
    public let cpuNanoseconds: UInt64
    public let residentBytes: UInt64
    public let descriptors: Int
    public let descriptorLimit: UInt64
    public let startUnixSeconds: Int64

    /// Nil where /proc is not mounted.
    public static func now() -> ProcessFigures? {
        guard let stat = FileContents.text(path: "/proc/self/stat", limitBytes: 4_096),
            // The name of the program may hold anything, and ends at the last bracket.
            let end = stat.lastIndex(of: ")")
        else { return nil }
        // From the third one on (proc(5)).
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
            let start = UInt64(fields[19]), let pages = UInt64(fields[21])
        else { return nil }
        let ticks = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        var limit = rlimit()
        // `limit` is written by the call.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        var time = timespec()
        // `time` is written by the call.
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        let age = Int64(time.tv_sec) - Int64(start / ticks)
        return ProcessFigures(
            cpuNanoseconds: (user + system) * (1_000_000_000 / ticks),
            residentBytes: pages * UInt64(sysconf(Int32(_SC_PAGESIZE))), descriptors: countDescriptors(),
            descriptorLimit: UInt64(limit.rlim_cur), startUnixSeconds: WallClock.seconds() - age)
    }

    private static func countDescriptors() -> Int {
        // The C string lives for the call.
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the folder's own.
        return max(0, count - 3)
    }
}
