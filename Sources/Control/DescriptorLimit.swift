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

    /// How many connections there are descriptors for, beside all else that a proxy opens: a table that is bounded by
    /// them puts strangers out when it is full, where a process without descriptors could serve nobody.
    static func connections(listeners: Int, workers: Int) -> Int {
        var limit = rlimit()
        // The call fills `limit`, which outlives it.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        return connections(of: Int(clamping: limit.rlim_cur), listeners: listeners, workers: workers)
    }

    static func connections(of descriptors: Int, listeners: Int, workers: Int) -> Int {
        let own = adminConnections + files + workers * (descriptorsAWorker + listeners)
        return max((descriptors - min(own, descriptors / 2)) / 2, 1)
    }

    private static let adminConnections = 64
    /// Those that are watched, polled and written to, and the standard ones.
    private static let files = 64
    private static let descriptorsAWorker = 8
}
