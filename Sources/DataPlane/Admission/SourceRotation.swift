import EventLoop

/// Waiting connections, one queue per source, served round-robin: a source with many connections waits for itself, and
/// any other for at most one step of each source.
struct SourceRotation {
    private var queues: [Source: TokenQueue] = [:]
    /// The sources that have a queue, the next first.
    private var order: [Source] = []
    private var head = 0

    var isEmpty: Bool { queues.isEmpty }

    mutating func append(_ token: OperationToken, of source: Source) {
        if queues[source] == nil { enqueue(source) }
        queues[source, default: TokenQueue()].append(token)
    }

    /// Removes and returns the next connection of the next source.
    mutating func popFirst() -> (connection: OperationToken, source: Source)? {
        var token: OperationToken?
        var source: Source?
        // Some queues may have been removed since.
        while token == nil, head < order.count {
            source = order[head]
            head += 1
            token = source.flatMap { queues[$0]?.popFirst() }
        }
        guard let source else { return nil }
        if queues[source]?.isEmpty ?? true {
            queues[source] = nil
        } else {
            enqueue(source)
        }
        if queues.isEmpty {
            order.removeAll(keepingCapacity: true)
            head = 0
        }
        return token.map { ($0, source) }
    }

    func holds(_ source: Source) -> Bool { queues[source] != nil }

    /// Removes all waiting connections of one source, in their order.
    mutating func removeAll(of source: Source) -> TokenQueue? { queues.removeValue(forKey: source) }

    private mutating func enqueue(_ source: Source) {
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        order.append(source)
    }
}
