import EventLoop

/// Connections that wait, a queue for each source; the sources take turns, so that a source that sends many waits for
/// itself, and another one for no more than one step of each.
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

    /// The next one of the next source; of a source that `isPreferred`, where one of the next few is.
    mutating func popFirst(preferring isPreferred: (Source) -> Bool = { _ in true }) -> OperationToken? {
        guard head < order.count else { return nil }
        let looked = head..<min(head + Self.lookedAt, order.count)
        if let preferred = looked.first(where: { isPreferred(order[$0]) }) { order.swapAt(head, preferred) }
        let source = order[head]
        head += 1
        let token = queues[source]?.popFirst()
        if queues[source]?.isEmpty ?? true {
            queues[source] = nil
        } else {
            enqueue(source)
        }
        if queues.isEmpty {
            order.removeAll(keepingCapacity: true)
            head = 0
        }
        return token
    }

    private static let lookedAt = 256

    private mutating func enqueue(_ source: Source) {
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        order.append(source)
    }
}
