import System

/// An operation of the proxy that has not completed.
@safe
struct SimulatedOperation {
    @safe
    enum Kind {
        /// Of a shared queue: for one connection.
        case accept(SimulatedListener, isShared: Bool)
        case receive(SimulatedConnection, SimulatedConnection.Side)
        case send(SimulatedConnection, SimulatedConnection.Side, UnsafeRawBufferPointer, checksum: UInt64)
        case connect(to: SocketAddress, fate: DialFate)
    }

    /// What the faults make of a dial.
    enum DialFate {
        case asTheListenerSays, refused, hangs
    }

    let kind: Kind
    let token: OperationToken
    let descriptor: Int32
    /// Drawn once, when the operation is ready for the first time; nil until then.
    var heldUntil: UInt64?
    var cancelled = false
    var completed = false

    init(_ kind: Kind, _ token: OperationToken, _ descriptor: Int32) {
        self.kind = kind
        self.token = token
        self.descriptor = descriptor
    }

    func isSameKind(as other: SimulatedOperation) -> Bool {
        switch (kind, other.kind) {
        case (.accept, .accept), (.receive, .receive), (.send, .send), (.connect, .connect): true
        default: false
        }
    }

    /// FNV-1a over eight bytes at a time and the rest: detects an accidental change, not an attacker.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        var offset = 0
        while offset + 8 <= bytes.count {
            // Safe: eight bytes from `offset` on are within the bytes.
            sum = (sum ^ (unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))) &* 0x100_0000_01B3
            offset += 8
        }
        while offset < bytes.count {
            // Safe: the offset is within the bytes.
            sum = (sum ^ UInt64(unsafe bytes[offset])) &* 0x100_0000_01B3
            offset += 1
        }
        return sum
    }
}
