/// A block of memory filled from its start; belongs to one thread.
@safe
final class ByteBlock {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacityBytes: Int) {
        unsafe memory = .allocate(byteCount: capacityBytes, alignment: 64)
    }

    deinit {
        unsafe memory.deallocate()
    }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: `count` bytes are initialised, and live as long as this object.
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(memory.baseAddress!), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    func removeAll() { count = 0 }

    /// Appends what `body` writes.
    func append<Outcome>(_ body: (inout OutputRawSpan) -> Outcome) -> Outcome {
        // Safe: the room lies within the block, and the span does not leave this function.
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        var output = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
        let outcome = body(&output)
        count += unsafe output.finalize(for: room)
        return outcome
    }
}
