public import System

/// The tester's end of a simulated connection. It acts at once: delays and faults belong to the proxy's side.
public final class PeerSocket {
    private let connection: SimulatedConnection?
    private let side: SimulatedConnection.Side

    init(_ connection: SimulatedConnection?, _ side: SimulatedConnection.Side) {
        self.connection = connection
        self.side = side
    }

    /// Nobody listened: this is no connection.
    public var isRefused: Bool { connection == nil }
    /// The other side's FIN has come and everything before it was read.
    public var isFinished: Bool { connection?.isFinished(side) ?? false }
    /// The other side's RST has come; also true of a refused connection.
    public var wasReset: Bool { connection?.wasReset(side) ?? true }
    /// Bytes that have come and were not read.
    public var unread: Int { connection?.unread(side) ?? 0 }
    public var localAddress: SocketAddress? { connection?.address(of: side) }
    public var remoteAddress: SocketAddress? { connection?.address(of: side.other) }

    /// Writes as many bytes as there is room for, and returns how many; 0 after an end.
    public func write(_ bytes: some Collection<UInt8>) -> Int {
        guard let connection, !connection.isClosed(side) else { return 0 }
        let chunk = Array(bytes.prefix(connection.room(side)))
        // Safe: the array's bytes, for the call.
        return chunk.isEmpty ? 0 : max(0, unsafe chunk.withUnsafeBytes { unsafe connection.write(side, $0) })
    }

    /// Reads up to `limit` bytes of what has come; empty if nothing has.
    public func read(_ limit: Int = .max) -> [UInt8] {
        guard let connection, !connection.isClosed(side), unread > 0 else { return [] }
        // Safe: the closure writes what it counts.
        return unsafe [UInt8](unsafeUninitializedCapacity: min(limit, unread)) { buffer, count in
            // Safe: the array's own memory, of which `count` bytes are written.
            count = unsafe connection.read(side, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Sends FIN after what was written; reading goes on.
    public func shutdownWrite() {
        connection?.finish(side)
    }

    /// Sends RST.
    public func reset() {
        connection?.reset(side)
    }

    /// Closes: FIN, or RST where bytes were not read.
    public func close() {
        guard let connection, !connection.isClosed(side) else { return }
        connection.close(side)
    }
}
