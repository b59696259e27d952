import DataPlane
import EventLoop
import Settings

extension Proxy {
    /// Begins the checks that are due, and tells the workers what others found; returns the milliseconds until there is
    /// more to do.
    func checkEndpoints() -> Int? {
        let (results, wait) = checks.tick()
        // A check that passes matters only to those who have the endpoint out of service.
        for result in results where result.failure != nil || endpointBoard.isOut(result) {
            for worker in workers { worker.mailbox.post(.checked(result)) }
        }
        return wait
    }
}
