/// Splits the bytes of one gRPC call into messages (gRPC over HTTP/2, "Length-Prefixed-Message").
struct GRPCMessages {
    private var pending: [UInt8] = []

    enum Flaw: Error, Hashable {
        /// A message is compressed, although we did not ask for compression.
        case compressed
        case tooLarge
    }

    /// Adds received bytes, and returns the messages that they complete.
    mutating func take(_ bytes: some Collection<UInt8>) throws(Flaw) -> [[UInt8]] {
        pending += bytes
        var messages: [[UInt8]] = []
        var start = 0
        while pending.count - start >= Self.prefixBytes {
            guard pending[start] == 0 else { throw .compressed }
            let length = pending[start + 1..<start + Self.prefixBytes].reduce(0) { $0 << 8 | Int($1) }
            guard length <= WorkloadLimits.messageBytes else { throw .tooLarge }
            let end = start + Self.prefixBytes + length
            guard end <= pending.count else { break }
            messages.append(Array(pending[start + Self.prefixBytes..<end]))
            start = end
        }
        pending.removeFirst(start)
        return messages
    }

    /// The request of a call without parameters: one empty message.
    static let emptyMessage: [UInt8] = [0, 0, 0, 0, 0]
    private static let prefixBytes = 5
}
