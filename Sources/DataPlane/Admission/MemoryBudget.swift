/// How a worker divides its memory, so that it never runs out: when memory is scarce it slows down instead.
///
/// Each connection has a guaranteed share: its TLS session, an incomplete record, and one short receive in each
/// direction. Connections are limited to those whose shares fit. The rest is common to all: a receive takes a part of
/// what is free of it, less and less as it fills, down to what fits the connection's own share. So a peer that stops
/// reading cannot take from another connection what that needs to make progress.
///
/// All sizes are in bytes.
struct MemoryBudget: Equatable {
    /// How many connections may be open.
    let connections: Int
    /// How many may exist, including those that were ended to make room for others but are not closed yet.
    let slots: Int
    /// What all connections together may take beyond their shares.
    let sharedBytes: Int
    /// The most that all output buffers hold: the common part, the shares, and what receives in flight take although
    /// memory has become scarce.
    let bufferBytes: Int

    /// - Parameters:
    ///   - bytes: all memory that may grow with the number of peers; at least ``leastBytes``.
    ///   - connections: how many the settings allow.
    ///   - receives: how many may be in flight, or take `receiveBytes` each, when memory becomes scarce.
    init(bytes: Int, connections limit: Int, receives: Int, receiveBytes: Int) {
        let underWay = receives * (receiveBytes + Self.recordBytes)
        let divisible = max(bytes - underWay, Self.leastBytes / 2)
        connections = max(min(limit, divisible / 4 * 3 / Self.connectionBytes * 16 / 17), 1)
        slots = connections + max(connections / 16, 8)
        sharedBytes = divisible - slots * Self.connectionBytes
        bufferBytes = sharedBytes + slots * Self.buffersAConnection + underWay
    }

    /// How much one receive may take while `buffered` bytes of buffers are in use.
    @inline(__always)
    func receiveBytes(buffered: Int) -> Int {
        max((sharedBytes - buffered) / Self.receivesToFill, Self.leastReceiveBytes)
    }

    /// Whether so much is in use that no connection may queue a second buffer behind the one in flight.
    @inline(__always)
    func isScarce(buffered: Int) -> Bool { buffered > sharedBytes / 4 * 3 }

    /// One connection's share: a session of about 25 KiB, and buffers.
    static let connectionBytes = 24 * 1024 + buffersAConnection
    /// From the peer a whole record and a short receive behind it, to the peer the records of a short receive.
    private static let buffersAConnection = 24 * 1024 + 8 * 1024
    private static let leastReceiveBytes = 4 * 1024
    private static let recordBytes = 16 * 1024 + 512
    /// Each receive takes a fraction of what is free, which leaves the more for the next.
    private static let receivesToFill = 64
    /// The least memory of a worker.
    static let leastBytes = 8 * 1024 * 1024
}
