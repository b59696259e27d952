import COpenSSL
import Glibc
import Identity
import Authority

@testable import TLS
@testable import Crypto
@testable import SVID

/// What the tests know of one authority and what it issued.
struct World {
    let authority: CertificateAuthority
    let domain: TrustDomain

    init(_ domain: String = "example.org", _ request: AuthorityRequest = AuthorityRequest()) throws {
        authority = try CertificateAuthority(trustDomain: domain, request: request)
        self.domain = try TrustDomain(parsing: domain)
    }

    var bundle: TrustBundle { TrustBundle(trustDomain: domain, certificates: [authority.rootDER]) }

    func material(
        _ path: String = "/ns/default/sa/server", trusting others: [TrustBundle] = []
    ) throws -> IdentityMaterial {
        try TLSTests.material(authority.issue(path: path), trusting: [bundle] + others)
    }
}

/// A material of certificates that `IdentityMaterial.load` might refuse.
func material(
    _ certificate: IssuedCertificate, trusting bundles: [TrustBundle]
) throws -> IdentityMaterial {
    let id = (try? CertificateFields(parsing: certificate.leafDER.span).leafIdentity())
    var key = certificate.key.pkcs8DER
    return try IdentityMaterial(
        id: id ?? SPIFFEID(parsing: "spiffe://example.org/unusable"), notBefore: 0, notAfter: .max,
        chain: certificate.chainDER, trustBundles: bundles, revocation: Revocation(.off),
        privateKey: PrivateKeyBytes(consuming: &key))
}

func now() -> Int64 { Int64(time(nil)) }

/// One end, with its exchange and what it has seen.
struct End: ~Copyable {
    var session: TLSSession
    let exchange: RecordExchange
    var outcome: HandshakeOutcome
    /// Received and not yet given to the session.
    var inbox: [UInt8]
    var plaintext: [UInt8]
    var opened: OpenOutcome

    init(_ context: TLSContext, endpoint: Int = 0) throws {
        let exchange = try RecordExchange()
        session = try TLSSession(context, exchange: exchange, endpoint: endpoint)
        self.exchange = exchange
        outcome = .wantsBytes
        inbox = []
        plaintext = []
        opened = .open
    }

    /// Gives the session its inbox; returns what it wants sent.
    mutating func handshake() -> [UInt8] {
        var consumed = 0
        let input = inbox  // bytes of UInt8 have no padding, so that viewing them raw is safe, here and below
        let sent = written(TLSSession.flightBytes) { output in
            (outcome, consumed) = unsafe session.handshake(input.span.bytes, into: &output)
        }
        inbox.removeFirst(consumed)
        return sent
    }

    /// Decrypts the inbox; returns the replies.
    mutating func open() -> [UInt8] {
        let input = inbox  // bytes of UInt8 have no padding, so that viewing them raw is safe, here and below
        inbox = []
        plaintext += written(TLSSession.openCapacity(inputBytes: input.count)) { output in
            opened = unsafe session.open(input.span.bytes, into: &output)
        }
        let replies = exchange.replies
        return unsafe replies.withUnsafeBytes { unsafe Array($0) }
    }

    mutating func seal(_ bytes: [UInt8]) -> [UInt8] {
        written(session.sealCapacity(plaintextBytes: bytes.count)) { output in
            let outcome = unsafe session.seal(bytes.span.bytes, into: &output)
            precondition(outcome == .sealed)
        }
    }

    mutating func closeNotify() -> [UInt8] {
        written(1024) { output in session.closeNotify(into: &output) }
    }

    mutating func refuse() -> [UInt8] {
        written(1024) { output in session.refuse(into: &output) }
    }
}

/// What `body` writes.
func written(_ capacity: Int, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    // Safe: the block outlives the span over it.
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    defer { unsafe block.deallocate() }
    var output = unsafe OutputRawSpan(buffer: block, initializedCount: 0)
    body(&output)
    let count = unsafe output.finalize(for: block)
    return unsafe Array(block[..<count])
}

/// A client and a server, joined.
struct Pair: ~Copyable {
    var client: End
    var server: End

    init(client: TLSContext, server: TLSContext, endpoint: Int = 0) throws {
        let client = try End(client, endpoint: endpoint)
        let server = try End(server)
        self.client = client
        self.server = server
    }

    /// Runs both handshakes until neither wants to say more; the client opens what comes after its own is complete.
    mutating func handshake() {
        var toServer = client.handshake()
        while true {
            server.inbox += toServer
            toServer = []
            var toClient: [UInt8] = []
            if server.outcome == .wantsBytes { toClient = server.handshake() }
            guard !toClient.isEmpty else { return }
            client.inbox += toClient
            if client.outcome == .wantsBytes { toServer = client.handshake() }
            if client.outcome == .complete, !client.inbox.isEmpty { toServer += client.open() }
        }
    }

    mutating func send(fromClient bytes: [UInt8]) -> [UInt8] {
        server.inbox += client.seal(bytes)
        return server.open()
    }

    mutating func send(fromServer bytes: [UInt8]) -> [UInt8] {
        client.inbox += server.seal(bytes)
        return client.open()
    }
}

extension TLSContext {
    static func server(
        _ material: IdentityMaterial, _ options: TLSOptions = TLSOptions(), protocols: [String] = [],
        clock: @escaping @Sendable () -> Int64 = now
    ) throws -> TLSContext {
        try TLSContext(accepting: material, options: options, applicationProtocols: protocols, clock: clock)
    }

    static func client(
        _ material: IdentityMaterial, _ options: TLSOptions = TLSOptions(), protocols: [String] = [],
        serverName: String? = nil, accepting: @escaping @Sendable (SPIFFEID) -> Bool = { _ in true },
        clock: @escaping @Sendable () -> Int64 = now, maxVersion: TLSVersion = .tls13
    ) throws -> TLSContext {
        let context = try TLSContext(
            dialling: material, options: options, applicationProtocols: protocols, serverName: serverName,
            acceptPeer: accepting, clock: clock)
        // Safe: the context is alive.
        if maxVersion == .tls12 { unsafe _ = postern_ctx_set_max_version(context.pointer, TLS1_2_VERSION) }
        return context
    }
}
