/// The name that an operation's owner gives it: 8 bits of operation, 24 of generation, 32 of slot.
///
/// It travels through the kernel as `user_data` and comes back with the completion. The loop does not interpret it,
/// except for the two values that it reserves. A completion whose generation is not its slot's is stale: drop and count
/// it.
public struct OperationToken: Hashable, Sendable {
    public let raw: UInt64

    @inlinable
    public init(operation: UInt8, generation: UInt32, slot: UInt32) {
        raw = UInt64(operation) << 56 | UInt64(generation & Self.generationMask) << 32 | UInt64(slot)
    }

    @inlinable
    public init(raw: UInt64) {
        self.raw = raw
    }

    @inlinable public var operation: UInt8 { UInt8(truncatingIfNeeded: raw >> 56) }
    @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) & Self.generationMask }
    @inlinable public var slot: UInt32 { UInt32(truncatingIfNeeded: raw) }

    /// Generations count modulo this mask plus one.
    public static var generationMask: UInt32 { 0xFF_FFFF }

    /// Another thread called ``Wake/signal()``. Owners must not use operation 255.
    public static var wake: OperationToken { OperationToken(raw: 0xFF << 56 | 1) }
    /// The loop's own cancel requests; their completions never reach the owner.
    static var cancellation: OperationToken { OperationToken(raw: 0xFF << 56 | 2) }
}
