/// One worker's feed into the access log: the queue, and the descriptor that wakes its reader.
public struct AccessLogFeed: Sendable {
    public let queue: BoundedQueue<AccessRecord>
    /// An eventfd: the worker adds 1 to it when a push says `queuedForSleeper`. Lives as long as the log's writer.
    public let wakeDescriptor: Int32

    public init(queue: BoundedQueue<AccessRecord>, wakeDescriptor: Int32) {
        self.queue = queue
        self.wakeDescriptor = wakeDescriptor
    }
}
