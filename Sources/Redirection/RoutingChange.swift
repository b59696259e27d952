/// With `tproxy`, the routes that keep marked packets, and answers from loopback to callers on other hosts, on this
/// host: words for `ip`.
public enum RoutingChange {
    /// Removes what an earlier call added; each fails where there is nothing to remove.
    public static func removal(_ family: IPFamily) -> [[String]] {
        rules(family).map { ["ip", option(family), "rule", "delete"] + $0 }
            + [["ip", option(family), "route", "flush", "table", "\(RedirectionPlan.routingTable)"]]
    }

    /// After ``removal(_:)``.
    public static func addition(_ family: IPFamily) -> [[String]] {
        let route = ["local", "default", "dev", "lo", "table", "\(RedirectionPlan.routingTable)"]
        return [["ip", option(family), "route", "replace"] + route]
            + rules(family).map { ["ip", option(family), "rule", "add"] + $0 }
    }

    private static func rules(_ family: IPFamily) -> [[String]] {
        let table = ["lookup", "\(RedirectionPlan.routingTable)"]
        return [
            ["fwmark", "\(RedirectionPlan.routedMark)"] + table,
            ["from", family.loopbackBlock, "iif", "lo"] + table,
        ]
    }

    private static func option(_ family: IPFamily) -> String { family == .v4 ? "-4" : "-6" }
}
