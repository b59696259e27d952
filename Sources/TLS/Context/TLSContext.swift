import COpenSSL
public import Identity
import Synchronization
import Crypto
public import SVID

/// The state that all sessions of one role and identity share.
///
/// Its sessions may run on different threads, each on one at a time.
///
/// Sendable by hand: OpenSSL locks the parts of an SSL_CTX that sessions change, and nothing configures it after
/// `init`.
@safe
public final class TLSContext: @unchecked Sendable {
    /// The side of a handshake that a context is for.
    enum Role {
        case accepting
        case dialling(serverName: String?)
    }

    let pointer: OpaquePointer
    let role: Role
    let applicationProtocols: ApplicationProtocols
    /// With resumption on: the sessions that the accepting side may resume, or those that the dialling side may offer.
    let acceptedSessions: AcceptedSessions?
    let offeredSessions: OfferedSessions?
    let verifier: SVIDVerifier
    /// A session is resumed under the name that it was made under, and under no other.
    private let sessionContextName: [UInt8]

    private let lastName = Mutex("")

    /// For sessions that a peer opens: it must present an SVID of a trusted domain.
    ///
    /// - Parameters:
    ///   - applicationProtocols: in order of preference; a client that offers only others is refused, one that offers
    ///     none is not. Empty ignores ALPN.
    ///   - continuing: a context of the same SVID, options and protocols that this one takes the place of. Its sessions
    ///     are resumed here too, if their peers are accepted under what is trusted now.
    ///   - clock: Unix seconds, read at each verification.
    public convenience init(
        accepting material: IdentityMaterial, options: TLSOptions, applicationProtocols: [String],
        continuing: TLSContext? = nil, clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        let verifier = try Self.verifier(material, acceptPeer: nil, clock)
        let sessions = continuing?.acceptedSessions.map { AcceptedSessions($0, acceptedBy: verifier) }
        try self.init(
            role: .accepting, material, options, ApplicationProtocols(applicationProtocols), verifier,
            accepted: options.resumption ? sessions ?? AcceptedSessions(clock: clock) : nil, offered: nil, continuing)
    }

    /// For sessions that we open.
    ///
    /// - Parameters:
    ///   - continuing: as for an accepting context.
    ///   - acceptPeer: called with the server's verified ID before our own certificate is sent.
    public convenience init(
        dialling material: IdentityMaterial, options: TLSOptions, applicationProtocols: [String], serverName: String?,
        continuing: TLSContext? = nil, acceptPeer: @escaping @Sendable (SPIFFEID) -> Bool,
        clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        let name = serverName.flatMap { ServerName.parse($0.utf8) }
        if let serverName, name == nil { throw .unusableName(serverName) }
        let verifier = try Self.verifier(material, acceptPeer: acceptPeer, clock)
        let sessions = continuing?.offeredSessions.map { OfferedSessions($0, acceptedBy: verifier) }
        let offered = sessions ?? OfferedSessions(acceptPeer: acceptPeer, clock: clock)
        try self.init(
            role: .dialling(serverName: name), material, options, ApplicationProtocols(applicationProtocols), verifier,
            accepted: nil, offered: options.resumption ? offered : nil, continuing)
    }

    private static func verifier(
        _ material: IdentityMaterial, acceptPeer: (@Sendable (SPIFFEID) -> Bool)?,
        _ clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) -> SVIDVerifier {
        try TLSFault.translating { () throws(CryptoFault) in
            try SVIDVerifier(
                bundles: material.trustBundles, revocation: material.revocation, acceptPeer: acceptPeer, clock: clock)
        }
    }

    private init(
        role: Role, _ material: IdentityMaterial, _ options: TLSOptions, _ applicationProtocols: ApplicationProtocols,
        _ verifier: SVIDVerifier, accepted: AcceptedSessions?, offered: OfferedSessions?, _ continuing: TLSContext?
    ) throws(TLSFault) {
        ErrorQueue.clear()
        let library = try TLSFault.translating { () throws(CryptoFault) in try CryptoLibrary.shared() }
        guard let context = unsafe SSL_CTX_new_ex(library.pointer, nil, TLS_method()) else {
            throw .crypto(ErrorQueue.fault("SSL_CTX_new_ex"))
        }
        unsafe pointer = context
        self.role = role
        self.applicationProtocols = applicationProtocols
        self.verifier = verifier
        acceptedSessions = accepted
        offeredSessions = offered
        sessionContextName =
            continuing?.sessionContextName ?? (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        // Safe, here and in the extension: `context` is alive as long as this object, and so are the callbacks'
        // arguments; sessions keep this object.
        try setProtocol(options)
        try setIdentity(material)
        setVerification()
        unsafe SSL_CTX_set_msg_callback(context, inspectMessage)
        unsafe postern_ctx_set_msg_argument(context, Unmanaged.passUnretained(verifier).toOpaque())
        unsafe TrafficSecrets.install(on: context)
        switch role {
        case .accepting: setAccepting()
        case .dialling: try setDialling()
        }
        try setResumption()
    }

    /// Throws if a new handshake with `peer`, which this or another context accepted, would be refused now for another
    /// cause than time.
    package func recheck(_ peer: PeerSVID) throws(SVIDRefusal) -> SVIDVerifier.Recheck { try verifier.recheck(peer) }

    /// `name`, or the equal string given last, to share its storage: most connections ask for the same server.
    func shared(_ name: String) -> String {
        lastName.withLock { lastName in
            if name != lastName { lastName = name }
            return lastName
        }
    }

    deinit {
        // Safe: every session holds this object, so no SSL is left.
        unsafe SSL_CTX_free(pointer)
    }
}

// MARK: Configuration

extension TLSContext {
    private func setProtocol(_ options: TLSOptions) throws(TLSFault) {
        let groups = try KeyExchangeList(options.keyExchange)
        let minimum = options.minVersion == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        try unsafe check(postern_ctx_set_min_version(pointer, minimum), "SSL_CTX_set_min_proto_version")
        try unsafe check(postern_ctx_set_max_version(pointer, TLS1_3_VERSION), "SSL_CTX_set_max_proto_version")
        unsafe SSL_CTX_set_security_level(pointer, ChainBuilder.securityLevel)
        try unsafe check(SSL_CTX_set_ciphersuites(pointer, Self.cipherSuites), "SSL_CTX_set_ciphersuites")
        try unsafe check(SSL_CTX_set_cipher_list(pointer, Self.cipherSuitesOfTLS12), "SSL_CTX_set_cipher_list")
        try unsafe check(postern_ctx_set_groups(pointer, groups.text), "SSL_CTX_set1_groups_list")
        try unsafe check(postern_ctx_set_sigalgs(pointer, Self.signatureAlgorithms), "SSL_CTX_set1_sigalgs_list")
        unsafe SSL_CTX_set_options(pointer, Self.protocolOptions)
        // For TLS 1.2: idle connections keep no buffer; a record's buffers come and go with it.
        unsafe postern_ctx_set_mode(pointer, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        unsafe postern_ctx_set_max_cert_list(pointer, Self.maximumChainMessageBytes)
    }

    private func setIdentity(_ material: IdentityMaterial) throws(TLSFault) {
        let chain = try TLSFault.translating { () throws(CryptoFault) in
            try CertificateStack(parsing: material.chain)
        }
        let key = try TLSFault.translating { () throws(CryptoFault) in try material.privateKey.makeKey() }
        try unsafe check(SSL_CTX_use_certificate(pointer, chain[0].pointer), "SSL_CTX_use_certificate")
        for index in 1..<max(1, chain.count) {
            try unsafe check(postern_ctx_add_chain(pointer, chain[index].pointer), "SSL_CTX_add1_chain_cert")
        }
        try unsafe check(SSL_CTX_use_PrivateKey(pointer, key.pointer), "SSL_CTX_use_PrivateKey")
    }

    private func setVerification() {
        // CA names are not sent: they would tell anyone who asks whom we trust.
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(pointer, verifyPeer, Unmanaged.passUnretained(verifier).toOpaque())
    }

    private func setAccepting() {
        unsafe SSL_CTX_set_options(pointer, postern_op_cipher_server_preference)
        unsafe postern_ctx_set_server_name_callback(pointer, refuseInvalidServerName)
        unsafe SSL_CTX_set_client_hello_cb(pointer, refuseMalformedServerName, nil)
        if !applicationProtocols.names.isEmpty {
            let argument = unsafe Unmanaged.passUnretained(applicationProtocols).toOpaque()
            unsafe SSL_CTX_set_alpn_select_cb(pointer, selectApplicationProtocol, argument)
        }
    }

    private func setDialling() throws(TLSFault) {
        let wire = applicationProtocols.wire
        guard !wire.isEmpty else { return }
        // Unlike OpenSSL's other setters, this one returns 0 on success.
        let status = unsafe SSL_CTX_set_alpn_protos(pointer, wire, UInt32(wire.count))
        try check(status == 0 ? 1 : 0, "SSL_CTX_set_alpn_protos")
    }

    /// Sessions stay in memory and belong to this context: no other context, and so no other listener, knows them.
    /// Tickets carry only session IDs.
    private func setResumption() throws(TLSFault) {
        unsafe postern_ctx_set_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        let name = sessionContextName
        try unsafe check(
            SSL_CTX_set_session_id_context(pointer, name, UInt32(name.count)), "SSL_CTX_set_session_id_context")
        try unsafe check(SSL_CTX_set_num_tickets(pointer, acceptedSessions == nil ? 0 : 1), "SSL_CTX_set_num_tickets")
        unsafe acceptedSessions?.install(on: pointer)
        if offeredSessions != nil { unsafe OfferedSessions.install(on: pointer) }
    }

    private func check(_ status: Int32, _ call: String) throws(TLSFault) {
        guard status == 1 else { throw .crypto(ErrorQueue.fault(call)) }
    }

    private static let cipherSuites =
        RecordCipher.allCases.filter(\.isAvailable).map(\.name).joined(separator: ":")
    private static let cipherSuitesOfTLS12 = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
        ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
    private static let signatureAlgorithms = """
        ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512
        """
    /// Compressed certificates would pass the inspection of messages, which limits how many there are and recognises
    /// those that were verified before; to compress and expand them costs more than it saves.
    private static let protocolOptions =
        postern_op_no_renegotiation | postern_op_no_compression | postern_op_no_ticket
        | postern_op_no_certificate_compression
    private static let maximumChainMessageBytes = 16 * 1024
}
