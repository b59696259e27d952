/// The buffers that wait for one socket, in order. The first one is being sent while a send is in flight.
struct SendQueue {
    private(set) var head = BufferPool.none
    private var tail = BufferPool.none

    var isEmpty: Bool { head == BufferPool.none }

    @inline(__always)
    mutating func append(_ index: Int32, _ pool: borrowing BufferPool) {
        if isEmpty {
            head = index
        } else {
            pool[tail].next = index
        }
        tail = index
    }

    /// Notes that `count` bytes of the first buffer were sent; true if that was all of it and it was given back.
    @inline(__always)
    mutating func advance(_ count: Int32, _ pool: inout BufferPool) -> Bool {
        precondition(!isEmpty, "bytes were sent of no buffer")
        var entry = pool[head]
        entry.start += count
        precondition(entry.start <= entry.end, "more bytes were sent than there were")
        guard entry.start == entry.end else {
            pool[head] = entry
            return false
        }
        pool.giveBack(head)
        head = entry.next
        return true
    }

    /// Gives all buffers back.
    mutating func removeAll(_ pool: inout BufferPool) {
        while !isEmpty {
            let next = pool[head].next
            pool.giveBack(head)
            head = next
        }
    }
}
