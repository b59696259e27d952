import Glibc
import System

/// One TCP connection of a simulation, with the rules of Linux for FIN, RST and what is unread.
final class SimulatedConnection {
    /// Which of the two ends.
    enum Side: Int {
        case dialler, acceptor

        var other: Side { self == .dialler ? .acceptor : .dialler }
    }

    private struct End {
        let address: SocketAddress
        var inbox = ByteQueue()
        var finArrived = false
        var finSent = false
        var closed = false
        /// The other end's RST has arrived.
        var wasReset = false
        /// The errno that the next operation reports, once; 0 where there is none.
        var pendingErrno: Int32 = 0
    }

    private var ends: [End]
    /// Bytes that one direction holds before its writer blocks.
    private let streamBytes: Int
    private let keepsOnReset: (Int) -> Int

    /// - Parameter keepsOnReset: how many of that many unread bytes survive a reset's arrival.
    init(
        from dialler: SocketAddress, to acceptor: SocketAddress, streamBytes: Int,
        keepsOnReset: @escaping (Int) -> Int
    ) {
        ends = [End(address: dialler), End(address: acceptor)]
        self.streamBytes = streamBytes
        self.keepsOnReset = keepsOnReset
    }

    func address(of side: Side) -> SocketAddress { ends[side.rawValue].address }
    func unread(_ side: Side) -> Int { ends[side.rawValue].inbox.count }
    func wasReset(_ side: Side) -> Bool { ends[side.rawValue].wasReset }
    func isClosed(_ side: Side) -> Bool { ends[side.rawValue].closed }
    /// The other end's FIN has arrived and everything before it was read.
    func isFinished(_ side: Side) -> Bool { ends[side.rawValue].finArrived && ends[side.rawValue].inbox.count == 0 }

    // MARK: Reading and writing

    func isReadable(_ side: Side) -> Bool {
        let end = ends[side.rawValue]
        return end.inbox.count > 0 || end.finArrived || end.wasReset
    }

    func isWritable(_ side: Side) -> Bool {
        room(side) > 0 || ends[side.rawValue].wasReset || ends[side.rawValue].finSent
    }

    /// How many bytes a write takes now.
    func room(_ side: Side) -> Int {
        let reader = ends[side.other.rawValue]
        return reader.closed ? streamBytes : streamBytes - reader.inbox.count
    }

    /// Bytes taken; a negated errno. What Linux says to a write after a reset: its errno once, then EPIPE.
    func write(_ side: Side, _ bytes: UnsafeRawBufferPointer) -> Int {
        if let failure = takeErrno(side) { return 0 - Int(failure) }
        if ends[side.rawValue].wasReset || ends[side.rawValue].finSent { return Int(0 - EPIPE) }
        if ends[side.other.rawValue].closed {
            // Nobody reads this: the bytes leave, and RST comes back.
            arriveReset(at: side)
            return bytes.count
        }
        let taken = min(bytes.count, room(side))
        // Safe: `taken` is within the bytes, which the caller lends for the call.
        unsafe ends[side.other.rawValue].inbox.append(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
        return taken
    }

    /// Bytes read; 0 at the end; a negated errno. To be asked where ``isReadable(_:)`` holds.
    func read(_ side: Side, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        // Safe: the caller lends the memory for the call.
        if ends[side.rawValue].inbox.count > 0 { return unsafe ends[side.rawValue].inbox.take(into: bytes) }
        if ends[side.rawValue].finArrived { return 0 }
        if let failure = takeErrno(side) { return 0 - Int(failure) }
        return ends[side.rawValue].wasReset ? 0 : Int(0 - EAGAIN)
    }

    // MARK: Ends

    /// Sends FIN after what was written.
    func finish(_ side: Side) {
        guard !ends[side.rawValue].finSent, !ends[side.rawValue].wasReset else { return }
        ends[side.rawValue].finSent = true
        ends[side.other.rawValue].finArrived = true
    }

    /// Orderly close; with bytes unread Linux sends RST instead of FIN, and so does this.
    func close(_ side: Side) {
        if ends[side.rawValue].inbox.count > 0 { return reset(side) }
        finish(side)
        ends[side.rawValue].closed = true
    }

    /// Abortive close, with RST.
    func reset(_ side: Side) {
        ends[side.rawValue].closed = true
        ends[side.rawValue].inbox = ByteQueue()
        arriveReset(at: side.other)
    }

    /// The network fails: both ends see a reset.
    func breakDown() {
        arriveReset(at: .dialler)
        arriveReset(at: .acceptor)
    }

    private func arriveReset(at side: Side) {
        let end = ends[side.rawValue]
        // Once both directions have ended there is no connection left to reset.
        guard !end.closed, !end.wasReset, !(end.finArrived && end.finSent) else { return }
        ends[side.rawValue].wasReset = true
        ends[side.rawValue].pendingErrno = end.finArrived ? EPIPE : ECONNRESET
        if !end.finArrived { ends[side.rawValue].inbox.keepFirst(keepsOnReset(end.inbox.count)) }
    }

    private func takeErrno(_ side: Side) -> Int32? {
        let code = ends[side.rawValue].pendingErrno
        ends[side.rawValue].pendingErrno = 0
        return code == 0 ? nil : code
    }
}
