/// The end of one operation, or one step of a multishot accept.
public struct Completion: Sendable {
    public let token: OperationToken
    /// Bytes moved, or the accepted descriptor; a negated errno where it failed.
    public let result: Int32
    /// The lent buffer that holds received bytes; -1 where there is none. Give it back with ``EventLoop/giveBack(_:)``.
    public let buffer: Int32
    /// Accept: false if it will not complete again and must be re-armed. Receive: true if the kernel says that it left
    /// bytes in the socket.
    public let more: Bool

    @inlinable
    public init(token: OperationToken, result: Int32, buffer: Int32 = -1, more: Bool = false) {
        self.token = token
        self.result = result
        self.buffer = buffer
        self.more = more
    }

    /// The errno of a failed operation, 0 of one that succeeded.
    @inlinable public var errno: Int32 { result < 0 ? 0 &- result : 0 }
}
