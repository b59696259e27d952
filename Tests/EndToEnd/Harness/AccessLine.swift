/// One line of the access log, as a program would read it.
struct AccessLine: Decodable, Sendable {
    let time: String
    let connection: String?
    let listener: String
    let route: String?
    let direction: String
    let source: String?
    let balancer: String?
    let callerUser: Int?
    let callerProcess: Int?
    let destination: String?
    let upstream: String?
    let attempts: [Attempt]?
    let preconnected: Bool?
    let sni: String?
    let alpn: String?
    let protected: Bool?
    let tlsVersion: String?
    let cipher: String?
    let keyExchange: String?
    let resumed: Bool?
    let localId: String?
    let peerId: String?
    let peerClaimedId: String?
    let peerIssuer: String?
    let verified: Bool?
    let peerSerial: String?
    let peerSha256: String?
    let peerNotAfter: String?
    let decision: String?
    let policy: String?
    let rule: String?
    let reason: String
    let code: String?
    let detail: String?
    let bytesToUpstream: Int
    let bytesFromUpstream: Int
    let handshakeMs: Double?
    let durationMs: Double

    struct Attempt: Decodable, Sendable {
        let upstream: String
        let outcome: String
        let code: String?
        let peerClaimedId: String?
        let ms: Double
    }
}
