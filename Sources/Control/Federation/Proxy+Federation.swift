import DataPlane
import Logging
import Settings

/// Serves by the bundles of federated trust domains.
extension Proxy {
    /// Collects poll results and applies changed bundles.
    func takeBundles() {
        guard federation?.takeResults() == true else { return }
        applyAgain()
    }

    /// Starts the polls that are due; returns the milliseconds until the next one.
    func pollBundles() -> Int? {
        guard let federation else { return nil }
        let (changed, wait) = federation.tick(source?.reload.state.material)
        if changed { applyAgain() }
        return wait
    }
}
