import Glibc

/// Asks again and again until the answer is yes, for what gives no event to wait for; false when `limit` is over first.
public func eventually(within limit: Duration = .seconds(10), _ probe: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline.within(limit)
    while try !probe() {
        if deadline.hasPassed { return false }
        usleep(2_000)
    }
    return true
}
