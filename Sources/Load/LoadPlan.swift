public import Identity
public import TLS
public import SVID

/// The parameters of a run; every number is bounded by ``init(kind:target:)`` or by the command line.
public struct LoadPlan: Sendable {
    /// The direction of a bulk run.
    public enum Direction: String, Sendable, CaseIterable {
        /// We send, the target discards.
        case up
        /// The target sends without a request.
        case down
        /// The target echoes.
        case both
    }

    public enum Kind: Hashable, Sendable {
        /// Bytes at full speed.
        case bulk(Direction)
        /// Messages; each is echoed before the connection's next one.
        case echo
        /// Connections; each is closed once established (and once a message was echoed, if `messageBytes` is not 0).
        case connect
        /// Idle established connections.
        case idle
    }

    /// The client's TLS parameters, and the accepted server identities.
    public struct Security: Sendable {
        public var material: IdentityMaterial
        public var minVersion = TLSVersion.tls13
        /// Whether sessions are offered for resumption; if not, every handshake is a full one.
        public var resumes = false
        public var serverName: String?
        public var applicationProtocols: [String] = []
        /// Decides about the server's verified ID.
        public var acceptPeer: @Sendable (SPIFFEID) -> Bool

        public init(material: IdentityMaterial, acceptPeer: @escaping @Sendable (SPIFFEID) -> Bool) {
            self.material = material
            self.acceptPeer = acceptPeer
        }
    }

    public var kind: Kind
    public var target: LoadTarget
    /// Nil: plaintext.
    public var security: Security?
    /// Open connections; in `connect`, attempts in progress.
    public var connections = 1
    /// Requests per second in an open loop; nil: closed loop.
    public var ratePerSecond: UInt64?
    public var messageBytes = 1024
    /// Sent once on each connection; neither counted nor expected back.
    public var prelude: [UInt8] = []
    public var warmupNanoseconds: UInt64 = 1_000_000_000
    public var durationNanoseconds: UInt64 = 10_000_000_000
    /// Timeout of connect and handshake together, and of a request without progress.
    public var timeoutNanoseconds: UInt64 = 5_000_000_000

    public init(kind: Kind, target: LoadTarget) {
        self.kind = kind
        self.target = target
    }

    public static let connectionsLimit = 65_536
    public static let rateLimit: UInt64 = 10_000_000
    public static let messageBytesLimit = 1 << 30
    /// Small enough to fit beside a handshake flight.
    public static let preludeBytesLimit = 4_096
}
