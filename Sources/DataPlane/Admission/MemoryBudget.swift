/// How a worker divides its memory, so that it never runs out of it: what it lacks is speed.
///
/// Each connection brings a share that is there whatever the others do: its TLS session, a record that is only partly
/// there, and one short receive in each direction. So many connections are open as have their shares. What is beyond
/// the shares belongs to all: a receive takes a part of what is free of it, less and less as it fills, down to what the
/// connection's own share has room for. So nobody who stops reading can take from anybody else what he needs to go on.
///
/// All sizes are in bytes.
struct MemoryBudget: Equatable {
    /// How many connections may be open.
    let connections: Int
    /// How many may be there: those that have been ended to make room for others, and are not closed yet, included.
    let slots: Int
    /// What all may take together beyond their shares.
    let sharedBytes: Int
    /// What all output buffers hold at most: the shared part, the shares, and what receives that were under way take
    /// although it has become scarce.
    let bufferBytes: Int

    /// - Parameters:
    ///   - bytes: all that may grow with the number of peers; at least ``leastBytes``.
    ///   - connections: how many the settings allow.
    ///   - receives: how many may be under way, or take `receiveBytes` each, when memory becomes scarce.
    init(bytes: Int, connections limit: Int, receives: Int, receiveBytes: Int) {
        let underWay = receives * (receiveBytes + Self.recordBytes)
        let divisible = max(bytes - underWay, Self.leastBytes / 2)
        connections = max(min(limit, divisible / 4 * 3 / Self.connectionBytes * 16 / 17), 1)
        slots = connections + max(connections / 16, 8)
        sharedBytes = divisible - slots * Self.connectionBytes
        bufferBytes = sharedBytes + slots * Self.buffersAConnection + underWay
    }

    /// How much one receive may take, where `buffered` bytes of buffers are in use.
    @inline(__always)
    func receiveBytes(buffered: Int) -> Int {
        max((sharedBytes - buffered) / Self.receivesToFill, Self.leastReceiveBytes)
    }

    /// So much is in use that nobody may have a second buffer wait behind the one on its way.
    @inline(__always)
    func isScarce(buffered: Int) -> Bool { buffered > sharedBytes / 4 * 3 }

    /// What one connection may take for itself: a session of about 25 KiB, and buffers.
    static let connectionBytes = 24 * 1024 + buffersAConnection
    /// From the peer a whole record and a short receive behind it, to the peer the records of a short receive.
    private static let buffersAConnection = 24 * 1024 + 8 * 1024
    private static let leastReceiveBytes = 4 * 1024
    private static let recordBytes = 16 * 1024 + 512
    /// Receives that take a part each of what is free leave the more for the next.
    private static let receivesToFill = 64
    /// Of a worker.
    static let leastBytes = 8 * 1024 * 1024
}
