import System

/// How many CPUs this process may use: its cgroup quota, rounded up, and at most its affinity mask.
public enum CPUQuota {
    /// At least 1. An unreadable limit counts as none.
    public static func workers() -> Int {
        let allowed = FileContents.text(path: "/proc/self/status").flatMap(allowedCPUs(status:)) ?? 1
        let quotas = ControlGroup.unified("cpu.max").compactMap(quota(cpuMax:))
        let legacy = zip(
            ControlGroup.legacyLimits("cpu", "cpu.cfs_quota_us"),
            ControlGroup.legacyLimits("cpu", "cpu.cfs_period_us")
        ).compactMap { legacyQuota($0, period: $1) }
        return workers(allowed: allowed, quotas: quotas + legacy)
    }

    static func workers(allowed: Int, quotas: [Double]) -> Int {
        let limit = quotas.min().map { Int($0.rounded(.up)) } ?? allowed
        return max(1, min(allowed, limit))
    }

    /// The CPUs of `Cpus_allowed_list: 0-3,8` of `/proc/self/status`.
    static func allowedCPUs(status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else {
            return nil
        }
        var count = 0
        for range in line.dropFirst("Cpus_allowed_list:".count).split(separator: ",") {
            let ends = range.split(separator: "-").compactMap { Int($0.filter(\.isNumber)) }
            guard let first = ends.first, let last = ends.last, last >= first else { return nil }
            count += last - first + 1
        }
        return count > 0 ? count : nil
    }

    /// CPUs of a `cpu.max`: `150000 100000` is 1.5; `max 100000` is unlimited.
    static func quota(cpuMax: String) -> Double? {
        let words = cpuMax.split { $0 == " " || $0 == "\n" }.map { Double($0) }
        guard words.count == 2, let quota = words[0], let period = words[1], quota > 0, period > 0 else { return nil }
        return quota / period
    }

    /// CPUs of cgroup v1's two files; -1 is unlimited.
    static func legacyQuota(_ quota: String?, period: String?) -> Double? {
        guard let quota, let period else { return nil }
        return Self.quota(cpuMax: "\(quota) \(period)")
    }
}
