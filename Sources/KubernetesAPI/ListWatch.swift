/// Decides what a reader of a collection asks next: a list in pages, then watches, then, where one says that it is too
/// late (410), a list again. Pure.
public struct ListWatch: Hashable, Sendable {
    public enum Step: Hashable, Sendable {
        /// Nil: the first page.
        case list(continuing: String?)
        case watch(from: String)
    }

    public private(set) var step = Step.list(continuing: nil)
    private var delays: RetryDelays

    public init(_ delays: RetryDelays = RetryDelays()) { self.delays = delays }

    /// A page has come. True if it is the last one.
    public mutating func listed(resourceVersion: String, next: String?) -> Bool {
        if let next, !next.isEmpty {
            step = .list(continuing: next)
            return false
        }
        step = .watch(from: resourceVersion)
        delays.succeeded()
        return true
    }

    /// The watch has told of a change, or that there was none up to this version.
    public mutating func observed(resourceVersion: String) {
        guard !resourceVersion.isEmpty, case .watch = step else { return }
        step = .watch(from: resourceVersion)
        delays.succeeded()
    }

    /// The list or watch has failed, or, without a fault, the watch has ended as it does from time to time; returns the
    /// milliseconds until the next step.
    ///
    /// - Parameters:
    ///   - lasted: milliseconds since the step began.
    ///   - random: from 0 up to 1.
    public mutating func ended(_ fault: APIFault?, lasted: Int64, random: Double) -> Int {
        guard let fault else {
            // A server that ends each watch at once must not be asked without pause.
            return lasted >= Self.briefMilliseconds ? 0 : delays.next(random: random)
        }
        switch (step, fault) {
        case (.list, _): step = .list(continuing: nil)
        // Only the connection was lost: the events since are still there.
        case (.watch, .network), (.watch, .configuration): break
        case (.watch, .refused(let status, _, _, _)) where status == 429 || status >= 500: break
        case (.watch, _): step = .list(continuing: nil)
        }
        return delays.next(afterSeconds: fault.retryAfterSeconds, random: random)
    }

    private static let briefMilliseconds: Int64 = 1_000
}
