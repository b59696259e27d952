import System

/// What has become of a collection.
public enum CollectionChange<Object: APIObject>: Sendable {
    /// These are all its objects.
    case replaced([Object])
    case changed(Object)
    case removed(Object)
    /// The server could not be asked; what was known stays, and it is asked again.
    case interrupted(APIFault, retryMilliseconds: Int)
}

/// Keeps a reader informed of a collection, for ever: lists it, watches it, and lists it again where changes were
/// missed. Objects of one collection are reported in order, on the thread that calls ``run``.
public struct CollectionReader<Object: APIObject>: Sendable {
    private let client: APIClient
    private let path: ObjectPath
    private let labelSelector: String?
    private let fieldSelector: String?
    private let delays: RetryDelays
    private let watchSeconds: Int
    private let pageLimit: Int

    /// - Parameters:
    ///   - watchSeconds: of one watch, with up to as many again at random.
    public init(
        _ client: APIClient, _ path: ObjectPath, labelSelector: String? = nil, fieldSelector: String? = nil,
        delays: RetryDelays = RetryDelays(), watchSeconds: Int = 300, pageLimit: Int = 250
    ) {
        self.client = client
        self.path = path
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.delays = delays
        self.watchSeconds = watchSeconds
        self.pageLimit = pageLimit
    }

    /// Returns once `report` says, by false, that it wants no more. Blocks; call it on a thread of its own.
    public func run(_ report: (CollectionChange<Object>) -> Bool) {
        var state = ListWatch(delays)
        var listed: [Object] = []
        var pageLimit = pageLimit
        var isWanted = true
        while isWanted {
            let start = MonotonicClock.milliseconds()
            var fault: APIFault?
            do throws(APIFault) {
                switch state.step {
                case .list(let continuing):
                    if continuing == nil { listed = [] }
                    let page: APIClient.Page<Object> = try client.page(
                        path, limit: pageLimit, continuing: continuing, labelSelector: labelSelector,
                        fieldSelector: fieldSelector)
                    listed += page.items
                    let isLast = state.listed(
                        resourceVersion: page.metadata.resourceVersion ?? "", next: page.metadata.continue)
                    if isLast {
                        isWanted = report(.replaced(listed))
                        listed = []
                    }
                    continue
                case .watch(let version):
                    try watch(from: version, &state, &isWanted, report)
                }
            } catch {
                fault = error
            }
            guard isWanted else { return }
            // Objects of one namespace must not hide those of all others.
            if fault == .tooLarge { pageLimit = max(1, pageLimit / 4) }
            let lasted = MonotonicClock.milliseconds() - start
            let wait = state.ended(fault, lasted: lasted, random: Double.random(in: 0..<1))
            if let fault, !fault.isGone { isWanted = report(.interrupted(fault, retryMilliseconds: wait)) }
            if isWanted { pause(milliseconds: wait) }
        }
    }

    private func watch(
        from version: String, _ state: inout ListWatch, _ isWanted: inout Bool,
        _ report: (CollectionChange<Object>) -> Bool
    ) throws(APIFault) {
        var fault: APIFault?
        let seconds = watchSeconds + Int.random(in: 0...watchSeconds)
        try client.watch(
            path, from: version, seconds: seconds, labelSelector: labelSelector, fieldSelector: fieldSelector
        ) {
            (event: WatchEvent<Object>) in
            switch event {
            case .added(let object), .modified(let object):
                state.observed(resourceVersion: object.metadata.resourceVersion ?? "")
                isWanted = report(.changed(object))
            case .deleted(let object):
                state.observed(resourceVersion: object.metadata.resourceVersion ?? "")
                isWanted = report(.removed(object))
            case .bookmark(let version): state.observed(resourceVersion: version)
            case .failed(let reason):
                fault = reason
                return false
            }
            return isWanted
        }
        if let fault { throw fault }
    }
}
