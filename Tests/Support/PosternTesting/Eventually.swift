import Glibc

/// Polls a condition that has no event to wait for; false if `limit` passes first.
public func eventually(within limit: Duration = .seconds(10), _ probe: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline.within(limit)
    while try !probe() {
        if deadline.hasPassed { return false }
        usleep(2_000)
    }
    return true
}
