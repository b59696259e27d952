import Glibc

/// How many descriptors this process may have open (RLIMIT_NOFILE).
public enum DescriptorLimit {
    /// Raises the soft limit to the hard one and returns it. Daemons start with a low one for the sake of select(2).
    public static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        // Both calls fill or read `limit`, which outlives them.
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        let status = unsafe setrlimit(resource, &raised)
        return Int(clamping: status == 0 ? raised.rlim_cur : limit.rlim_cur)
    }

    /// What so many connections need: each has two sides.
    public static func needed(connections: Int) -> Int { 2 * connections }
}
