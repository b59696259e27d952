import Glibc

/// The faults of a simulated network. Every number but the sizes is a probability, 0...1.
public struct SimulatedFaults: Sendable {
    /// A receive yields fewer bytes than there are.
    public var shortReads = 0.0
    /// A send takes fewer bytes than there is room for.
    public var shortWrites = 0.0
    /// A tick passes over a ready operation; at least one completes.
    public var passedOver = 0.0
    /// A ready operation is held back for up to ``longestHoldNanoseconds``.
    public var heldBack = 0.0
    public var longestHoldNanoseconds: UInt64 = 20_000_000
    /// A tick's completions come in any order instead of that of submission.
    public var reordered = 0.0
    /// A connection breaks when one of its operations completes: both ends see ECONNRESET.
    public var resets = 0.0
    /// A reset loses a part of what its receiver has not read yet.
    public var lossyResets = 0.0
    /// An accept ends with ``acceptErrno``; the connection waits for the next one.
    public var failedAccepts = 0.0
    public var acceptErrno = EMFILE
    /// Opening a socket fails with EMFILE.
    public var socketWithoutDescriptors = 0.0
    /// A receive ends with ENOBUFS though buffers are free.
    public var receiveWithoutBuffers = 0.0
    /// A dial is refused although there is a listener.
    public var refusedDials = 0.0
    /// A dial never ends by itself.
    public var hangingDials = 0.0
    /// An accept ends after accepting a connection, and must be re-armed.
    public var endedAccepts = 0.0
    /// A cancelled operation that could complete does complete.
    public var lateCancels = 0.0
    /// An idle tick waits for all of its time-out at once, and the wall clock is set by up to a minute either way.
    public var clockJumps = 0.0
    /// A connection takes as little as one byte at a time, instead of ``streamBytes``.
    public var narrowStreams = 0.0
    /// Bytes on their way in one direction, both socket buffers together, before the writer blocks.
    public var streamBytes = 256 * 1024

    /// A network in which nothing goes wrong: whatever is ready completes, in the order of submission.
    public static var none: SimulatedFaults { SimulatedFaults() }

    /// Everything goes wrong, though rarely enough that most connections get through.
    public static var all: SimulatedFaults {
        var faults = SimulatedFaults()
        faults.shortReads = 0.3
        faults.shortWrites = 0.3
        faults.passedOver = 0.3
        faults.heldBack = 0.1
        faults.reordered = 0.7
        faults.resets = 0.003
        faults.lossyResets = 0.5
        faults.failedAccepts = 0.1
        faults.socketWithoutDescriptors = 0.05
        faults.receiveWithoutBuffers = 0.05
        faults.refusedDials = 0.05
        faults.hangingDials = 0.05
        faults.endedAccepts = 0.2
        faults.lateCancels = 0.5
        faults.clockJumps = 0.02
        faults.narrowStreams = 0.1
        faults.streamBytes = 32 * 1024
        return faults
    }

    public init() {}
}
