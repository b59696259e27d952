/// Completions that wait for the next tick, first in, first out. Mostly empty: it holds cancelled operations and wakes.
struct CompletionBacklog {
    private var waiting: [Completion] = []
    private var head = 0

    mutating func append(_ completion: Completion) {
        waiting.append(completion)
    }

    @inline(__always)
    mutating func removeFirst() -> Completion? {
        guard head < waiting.count else { return nil }
        defer {
            head += 1
            if head == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                head = 0
            }
        }
        return waiting[head]
    }
}
