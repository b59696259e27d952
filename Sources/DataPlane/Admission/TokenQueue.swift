import EventLoop

/// Connections in the order in which they came; tokens, because one may end while it waits.
struct TokenQueue {
    private var tokens: [OperationToken] = []
    private var head = 0

    var isEmpty: Bool { head == tokens.count }
    var count: Int { tokens.count - head }

    var first: OperationToken? { isEmpty ? nil : tokens[head] }

    mutating func append(_ token: OperationToken) {
        if head > 1024, head * 2 > tokens.count {
            tokens.removeFirst(head)
            head = 0
        }
        tokens.append(token)
    }

    mutating func popFirst() -> OperationToken? {
        guard head < tokens.count else {
            tokens.removeAll(keepingCapacity: true)
            head = 0
            return nil
        }
        head += 1
        return tokens[head - 1]
    }
}
