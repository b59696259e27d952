import DataPlane
import Logging
import Settings

/// Serving by the bundles of further trust domains.
extension Proxy {
    /// Takes what polls have come to, and serves by it.
    func takeBundles() {
        guard federation?.takeResults() == true else { return }
        applyAgain()
    }

    /// Begins what is due; returns the milliseconds until something is again.
    func pollBundles() -> Int? {
        guard let federation else { return nil }
        let (changed, wait) = federation.tick(source?.reload.state.material)
        if changed { applyAgain() }
        return wait
    }
}
