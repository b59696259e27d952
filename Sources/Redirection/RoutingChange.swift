/// With `tproxy`, the routes that keep marked packets, and answers from loopback to callers on other hosts, on this
/// host: words for `ip`.
public enum RoutingChange {
    /// What is needed; what is there already is left as it is, or fails with "File exists".
    public static func addition(_ family: IPFamily) -> [[String]] {
        [["ip", option(family), "route", "replace"] + route]
            + rules(family).map { ["ip", option(family), "rule", "add"] + $0 }
    }

    /// Removes what ``addition(_:)`` added, once no rule of the firewall marks packets; each fails where there is
    /// nothing to remove.
    public static func removal(_ family: IPFamily) -> [[String]] {
        rules(family).map { ["ip", option(family), "rule", "delete"] + $0 }
            + [["ip", option(family), "route", "delete"] + route]
    }

    private static let route = ["local", "default", "dev", "lo", "table", "\(RedirectionPlan.routingTable)"]

    private static func rules(_ family: IPFamily) -> [[String]] {
        // With a priority of its own, a rule that is there is not added a second time.
        let table = ["lookup", "\(RedirectionPlan.routingTable)", "priority", "\(RedirectionPlan.routingPriority)"]
        return [
            ["fwmark", "\(RedirectionPlan.routedMark)"] + table,
            ["from", family.loopbackBlock, "iif", "lo"] + table,
        ]
    }

    private static func option(_ family: IPFamily) -> String { family == .v4 ? "-4" : "-6" }
}
