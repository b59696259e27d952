import Glibc

/// This process's limit of open descriptors (RLIMIT_NOFILE).
public enum DescriptorLimit {
    /// Raises the soft limit to the hard one and returns it. The default soft limit is low for the sake of select(2).
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

    /// Descriptors needed for this many connections, two each.
    public static func needed(connections: Int) -> Int { 2 * connections }

    /// How many connections there are descriptors for, beside everything else a proxy opens. A connection table bounded
    /// by this evicts unadmitted clients when full; a process without descriptors could serve nobody.
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
    /// Watches, polls, logs and the standard streams.
    private static let files = 64
    private static let descriptorsAWorker = 8
}
