public import Identity
public import TLS
public import SVID

/// What a run of load is made of; every number is bounded by ``init(kind:target:)`` or by the command line.
public struct LoadPlan: Sendable {
    /// Which way the bytes of a bulk run go.
    public enum Direction: String, Sendable, CaseIterable {
        /// We send, the target discards.
        case up
        /// The target sends unasked.
        case down
        /// The target echoes.
        case both
    }

    public enum Kind: Hashable, Sendable {
        /// Bytes as fast as they go.
        case bulk(Direction)
        /// Messages that each come back before the connection's next one.
        case echo
        /// Connections, each closed once it stands (and has echoed a message, where `messageBytes` is not 0).
        case connect
        /// Connections that stand and do nothing.
        case idle
    }

    /// How we speak TLS, and with whom alone.
    public struct Security: Sendable {
        public var material: IdentityMaterial
        public var minVersion = TLSVersion.tls13
        /// Whether sessions are offered for resumption; without it every handshake is a full one.
        public var resumes = false
        public var serverName: String?
        public var applicationProtocols: [String] = []
        /// Asked with the server's verified ID.
        public var acceptPeer: @Sendable (SPIFFEID) -> Bool

        public init(material: IdentityMaterial, acceptPeer: @escaping @Sendable (SPIFFEID) -> Bool) {
            self.material = material
            self.acceptPeer = acceptPeer
        }
    }

    public var kind: Kind
    public var target: LoadTarget
    /// Nil speaks plaintext.
    public var security: Security?
    /// How many are open at a time; of `connect`, in progress at a time.
    public var connections = 1
    /// Requests due each second, whatever the target does; nil: the next one once the last one is back.
    public var ratePerSecond: UInt64?
    public var messageBytes = 1024
    /// Sent once on each connection, not counted and not expected back.
    public var prelude: [UInt8] = []
    public var warmupNanoseconds: UInt64 = 1_000_000_000
    public var durationNanoseconds: UInt64 = 10_000_000_000
    /// For connecting with its handshake, and for a request without a byte moving.
    public var timeoutNanoseconds: UInt64 = 5_000_000_000

    public init(kind: Kind, target: LoadTarget) {
        self.kind = kind
        self.target = target
    }

    public static let connectionsLimit = 65_536
    public static let rateLimit: UInt64 = 10_000_000
    public static let messageBytesLimit = 1 << 30
    /// So that it fits beside a flight of the handshake.
    public static let preludeBytesLimit = 4_096
}
