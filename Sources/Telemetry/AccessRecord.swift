/// The access log's report of one connection, written when it ends. Absent values are omitted.
public struct AccessRecord: Hashable, Sendable {
    /// Which side speaks mutual TLS: the source (inbound) or the upstream (outbound).
    public enum Direction: String, Sendable { case inbound, outbound }

    /// The policy's decision; absent if the connection ended before policy was evaluated.
    public enum Decision: String, Sendable {
        case allowed = "allow"
        case denied = "deny"
        /// Audit mode forwarded what policy would refuse.
        case wouldDeny = "would-deny"
        /// No route was meant for it, and it was relayed in plaintext.
        case passedThrough = "passthrough"
    }

    /// The peer's certificate, whose chain was verified.
    public struct PeerCertificate: Hashable, Sendable {
        /// Hexadecimal.
        public var serialNumber: String
        /// Of the certificate's DER, hexadecimal.
        public var sha256: String
        public var notAfterUnixSeconds: Int64

        public init(serialNumber: String, sha256: String, notAfterUnixSeconds: Int64) {
            self.serialNumber = serialNumber
            self.sha256 = sha256
            self.notAfterUnixSeconds = notAfterUnixSeconds
        }
    }

    /// What the certificate of a refused peer claims.
    public struct ClaimedPeer: Hashable, Sendable {
        /// A SPIFFE ID.
        public var id: String?
        /// All alternative names, where there is no SPIFFE ID.
        public var names: String?
        /// Hexadecimal.
        public var serialNumber: String?
        /// Of the certificate's DER, hexadecimal.
        public var sha256: String?
        public var issuer: String?
        public var notAfterUnixSeconds: Int64?
        /// Its chain was verified.
        public var isVerified: Bool

        public init(
            id: String?, names: String? = nil, serialNumber: String?, sha256: String?, issuer: String?,
            notAfterUnixSeconds: Int64?, isVerified: Bool
        ) {
            self.id = id
            self.names = names
            self.serialNumber = serialNumber
            self.sha256 = sha256
            self.issuer = issuer
            self.notAfterUnixSeconds = notAfterUnixSeconds
            self.isVerified = isVerified
        }
    }

    /// One endpoint that was dialled.
    public struct Attempt: Hashable, Sendable {
        public var upstream: String
        /// `connected`, `timeout`, `refused` and the like.
        public var outcome: String
        /// Why its handshake failed.
        public var code: String?
        /// Whom a refused certificate claims to be.
        public var claimedID: String?
        public var nanoseconds: Int64

        public init(
            upstream: String, outcome: String, code: String? = nil, claimedID: String? = nil, nanoseconds: Int64
        ) {
            self.upstream = upstream
            self.outcome = outcome
            self.code = code
            self.claimedID = claimedID
            self.nanoseconds = nanoseconds
        }
    }

    /// When the connection ended.
    public var timeUnixNanoseconds: Int64
    /// Names the connection, also where its application is told of it.
    public var connection: String?
    /// The user and the process that connected to a Unix socket.
    public var callerUser: UInt32?
    public var callerProcess: Int32?
    /// The load balancer that named the source.
    public var balancer: String?
    public var listener: String
    public var direction: Direction
    public var route: String?
    /// `address:port`, IPv6 in brackets.
    public var source: String?
    /// Where the client wanted to go, on a transparent listener; `address:port`.
    public var destination: String?
    public var upstream: String?
    /// The endpoints that were dialled, in their order, if one of them failed or two were dialled at once.
    public var attempts: [Attempt] = []
    /// The connection to the upstream had been made before its caller came.
    public var preconnected = false
    public var serverName: String?
    public var applicationProtocol: String?
    /// False if it was relayed without TLS; else absent.
    public var protected: Bool?
    public var tlsVersion: String?
    public var cipher: String?
    /// The group of the key exchange.
    public var keyExchange: String?
    public var resumed: Bool?
    public var localID: String?
    public var peerID: String?
    public var peerCertificate: PeerCertificate?
    public var claimedPeer: ClaimedPeer?
    public var decision: Decision?
    public var policy: String?
    public var rule: String?
    /// A stable reason, e.g. `finished` or `certificate-refused`.
    public var closeReason: String
    /// The stable code of what was wrong, where the reason has many: e.g. `no-uri-san`.
    public var closeCode: String?
    /// Further detail for a reader; not stable.
    public var closeDetail: String?
    public var bytesToUpstream: UInt64
    public var bytesFromUpstream: UInt64
    /// Received from one side and not sent to the other.
    public var bytesDiscarded: UInt64 = 0
    public var handshakeNanoseconds: Int64?
    public var durationNanoseconds: Int64

    public init(
        timeUnixNanoseconds: Int64, listener: String, direction: Direction, route: String? = nil,
        source: String? = nil, upstream: String? = nil, serverName: String? = nil, applicationProtocol: String? = nil,
        tlsVersion: String? = nil, cipher: String? = nil, keyExchange: String? = nil, resumed: Bool? = nil,
        localID: String? = nil,
        peerID: String? = nil, peerCertificate: PeerCertificate? = nil, decision: Decision? = nil,
        policy: String? = nil, rule: String? = nil, closeReason: String, closeCode: String? = nil,
        closeDetail: String? = nil,
        bytesToUpstream: UInt64 = 0, bytesFromUpstream: UInt64 = 0, handshakeNanoseconds: Int64? = nil,
        durationNanoseconds: Int64
    ) {
        self.timeUnixNanoseconds = timeUnixNanoseconds
        self.listener = listener
        self.direction = direction
        self.route = route
        self.source = source
        self.upstream = upstream
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
        self.tlsVersion = tlsVersion
        self.cipher = cipher
        self.keyExchange = keyExchange
        self.resumed = resumed
        self.localID = localID
        self.peerID = peerID
        self.peerCertificate = peerCertificate
        self.decision = decision
        self.policy = policy
        self.rule = rule
        self.closeReason = closeReason
        self.closeCode = closeCode
        self.closeDetail = closeDetail
        self.bytesToUpstream = bytesToUpstream
        self.bytesFromUpstream = bytesFromUpstream
        self.handshakeNanoseconds = handshakeNanoseconds
        self.durationNanoseconds = durationNanoseconds
    }

    /// Appends the record as one line of JSON, newline included: at most `maximumLineBytes`.
    public func appendJSON(to output: inout [UInt8]) {
        var empty: [UInt8] = []
        swap(&empty, &output)  // moves the buffer, so that the writer appends in place
        var json = JSONWriter(bytes: empty)
        json.beginObject()
        json.field("time", CivilTime.rfc3339(unixNanoseconds: timeUnixNanoseconds))
        json.field("connection", connection, limit: Self.nameLimitBytes)
        json.field("listener", listener, limit: Self.nameLimitBytes)
        json.field("route", route, limit: Self.nameLimitBytes)
        json.field("direction", direction.rawValue)
        json.field("source", source, limit: Self.nameLimitBytes)
        json.field("callerUser", callerUser)
        json.field("callerProcess", callerProcess)
        json.field("balancer", balancer, limit: Self.nameLimitBytes)
        json.field("destination", destination, limit: Self.nameLimitBytes)
        json.field("upstream", upstream, limit: Self.nameLimitBytes)
        if !attempts.isEmpty {
            json.beginArray("attempts")
            for attempt in attempts.prefix(Self.attemptsAtMost) {
                json.beginObject()
                json.field("upstream", attempt.upstream, limit: Self.nameLimitBytes)
                json.field("outcome", attempt.outcome, limit: Self.outcomeLimitBytes)
                json.field("code", attempt.code, limit: Self.outcomeLimitBytes)
                json.field("peerClaimedId", attempt.claimedID, limit: Self.nameLimitBytes)
                json.field("ms", millisecondsOf: attempt.nanoseconds)
                json.endObject()
            }
            json.endArray()
        }
        if preconnected { json.field("preconnected", true) }
        json.field("sni", serverName, limit: Self.nameLimitBytes)
        json.field("alpn", applicationProtocol, limit: Self.nameLimitBytes)
        json.field("protected", protected)
        json.field("tlsVersion", tlsVersion, limit: Self.nameLimitBytes)
        json.field("cipher", cipher, limit: Self.nameLimitBytes)
        json.field("keyExchange", keyExchange, limit: Self.nameLimitBytes)
        json.field("resumed", resumed)
        json.field("localId", localID, limit: Self.identityLimitBytes)
        json.field("peerId", peerID, limit: Self.identityLimitBytes)
        json.field("peerClaimedId", claimedPeer?.id, limit: Self.identityLimitBytes)
        json.field("peerClaimedNames", claimedPeer?.names, limit: Self.detailLimitBytes)
        json.field("verified", claimedPeer?.isVerified)
        json.field(
            "peerSerial", peerCertificate?.serialNumber ?? claimedPeer?.serialNumber, limit: Self.nameLimitBytes)
        json.field("peerSha256", peerCertificate?.sha256 ?? claimedPeer?.sha256, limit: Self.nameLimitBytes)
        json.field("peerIssuer", claimedPeer?.issuer, limit: Self.nameLimitBytes)
        let notAfter = peerCertificate?.notAfterUnixSeconds ?? claimedPeer?.notAfterUnixSeconds
        json.field("peerNotAfter", notAfter.map { CivilTime.rfc3339(unixSeconds: $0) })
        json.field("decision", decision?.rawValue)
        json.field("policy", policy, limit: Self.nameLimitBytes)
        json.field("rule", rule, limit: Self.nameLimitBytes)
        json.field("reason", closeReason, limit: Self.nameLimitBytes)
        json.field("code", closeCode, limit: Self.nameLimitBytes)
        json.field("detail", closeDetail, limit: Self.detailLimitBytes)
        json.field("bytesToUpstream", bytesToUpstream)
        json.field("bytesFromUpstream", bytesFromUpstream)
        if bytesDiscarded > 0 { json.field("bytesDiscarded", bytesDiscarded) }
        json.field("handshakeMs", millisecondsOf: handshakeNanoseconds)
        json.field("durationMs", millisecondsOf: durationNanoseconds)
        json.endObject()
        json.newline()
        output = json.bytes
    }

    /// No line is longer: every text has a limit, and an escaped byte takes at most six.
    public static let maximumLineBytes =
        6
        * (3 * identityLimitBytes + 2 * detailLimitBytes + 19 * nameLimitBytes
            + attemptsAtMost * (2 * nameLimitBytes + 2 * outcomeLimitBytes + 16)) + 1_024
    /// As many as one connection may try: sixteen retries, and of each name both families.
    public static let attemptsAtMost = 34

    private static let nameLimitBytes = 256
    private static let identityLimitBytes = 2_048
    private static let detailLimitBytes = 512
    private static let outcomeLimitBytes = 32
}
