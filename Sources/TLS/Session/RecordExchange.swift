/// The window through which the sessions of one worker see bytes; one per worker, never shared between threads.
///
/// A session borrows it for the length of one call. It holds no record between calls: a partial record stays in its
/// session.
@safe
public final class RecordExchange {
    let window: UnsafeMutablePointer<ExchangeWindow>
    let bio: RecordBIO
    let ciphers: RecordCiphers
    let blocks = RecordBlocks()
    private let replyBytes: UnsafeMutableRawPointer
    private var replyCount = 0

    /// An exchange with no session yet.
    public init() throws(TLSFault) {
        // Safe: both blocks are owned by this object and freed in deinit only.
        unsafe window = .allocate(capacity: 1)
        unsafe window.initialize(to: ExchangeWindow())
        unsafe replyBytes = .allocate(byteCount: Self.replyCapacityBytes, alignment: 16)
        bio = try unsafe RecordBIO(window: window)
        ciphers = try RecordCiphers()
    }

    /// What the session of the last `open` has to send to its peer: an alert, usually nothing. Valid until the next
    /// call of any session of this exchange.
    public var replies: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: the block holds `replyCount` initialised bytes and lives as long as this object.
            let span = unsafe RawSpan(_unsafeStart: replyBytes, byteCount: replyCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Points the window at `input` and at `output` for the length of `body`, and returns what `body` wrote.
    func withWindow<Outcome>(
        reading input: UnsafeRawBufferPointer, writing output: UnsafeMutableRawBufferPointer, _ body: () -> Outcome
    ) -> (outcome: Outcome, readBytes: Int, writtenBytes: Int) {
        // Safe: the caller's buffers live for this call, and the pointers to them are cleared before it returns.
        unsafe window.pointee.findings = ExchangeWindow.Findings()
        unsafe window.pointee.input = input.baseAddress
        unsafe window.pointee.inputLeftBytes = input.count
        unsafe window.pointee.output = output.baseAddress
        unsafe window.pointee.outputUsedBytes = 0
        unsafe window.pointee.outputCapacityBytes = output.count
        let outcome = body()
        let readBytes = unsafe input.count - window.pointee.inputLeftBytes
        let writtenBytes = unsafe window.pointee.outputUsedBytes
        unsafe window.pointee.input = nil
        unsafe window.pointee.inputLeftBytes = 0
        unsafe window.pointee.output = nil
        unsafe window.pointee.outputCapacityBytes = 0
        return (outcome, readBytes, writtenBytes)
    }

    /// Drops the previous call's replies when a session's next call begins.
    func forgetReplies() { replyCount = 0 }

    /// Appends to the replies what `seal` writes: one small record, whose size it returns.
    func reply(_ seal: (UnsafeMutableRawPointer) throws(RecordFlaw) -> Int) throws(RecordFlaw) {
        // Safe: the block has this capacity; a session seals two replies at most in one call.
        precondition(Self.replyCapacityBytes - replyCount >= 64)
        replyCount += unsafe try seal(replyBytes + replyCount)
    }

    /// As `withWindow`, writing to the reply buffer.
    func withReplies<Outcome>(reading input: UnsafeRawBufferPointer, _ body: () -> Outcome) -> Outcome {
        // Safe: the reply block has this capacity.
        let replies = unsafe UnsafeMutableRawBufferPointer(start: replyBytes, count: Self.replyCapacityBytes)
        let (outcome, _, writtenBytes) = unsafe withWindow(reading: input, writing: replies, body)
        replyCount = writtenBytes
        return outcome
    }

    deinit {
        // Safe: sessions hold a reference to their exchange, so no SSL can still call through the BIO.
        unsafe window.deinitialize(count: 1)
        unsafe window.deallocate()
        unsafe replyBytes.deallocate()
    }

    /// Room for a handful of alerts; a peer that provokes more than this in one read misbehaves.
    private static let replyCapacityBytes = 512
}
