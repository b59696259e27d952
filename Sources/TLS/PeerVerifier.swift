import COpenSSL
import Identity
import Synchronization

/// Verifies peers: OpenSSL builds the path to the bundle of the trust domain that the leaf claims, and no other; the
/// rules of X509-SVID are then checked from DER over the path that was built.
///
/// All calls may come from any thread. It belongs to one set of bundles and lists of revoked certificates.
final class PeerVerifier: Sendable {
    let bundles: [TrustDomain: AnchorStore]
    let revocation: RevocationCheck
    let acceptPeer: (@Sendable (SPIFFEID) -> Bool)?
    let clock: @Sendable () -> Int64
    let state: Mutex<State>

    struct State {
        var memory = ChainMemory()
        /// By their digests, so that peers and sessions of one authority share them.
        var issuerPaths = BoundedCache<Digest256, IssuerPath>(capacity: 256)
        var standings = BoundedCache<Standing, Result<PathStanding, SVIDRefusal>>(capacity: 1_024)
        var generations: SessionGenerations
    }

    /// Go into each session. What was remembered of chains does not outlive a change of what they were verified with.
    var generations: SessionGenerations {
        get { state.withLock { $0.generations } }
        set {
            state.withLock { state in
                let old = state.generations
                state.generations = newValue
                guard (newValue.identity, newValue.revocation) != (old.identity, old.revocation) else { return }
                state.memory = ChainMemory()
            }
        }
    }

    /// - Parameter acceptPeer: whom a dialling side agrees to talk to; nil accepts every trusted peer.
    init(
        bundles: [TrustBundle], revocation: Revocation = Revocation(.off), acceptPeer: (@Sendable (SPIFFEID) -> Bool)?,
        generations: SessionGenerations, clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        self.revocation = RevocationCheck(revocation)
        state = Mutex(State(generations: generations))
        var stores: [TrustDomain: AnchorStore] = [:]
        for bundle in bundles { stores[bundle.trustDomain] = try AnchorStore(bundle.certificates) }
        self.bundles = stores
        self.acceptPeer = acceptPeer
        self.clock = clock
    }

    var rememberedChains: Int { state.withLock { $0.memory.count } }

    /// Why `chain` (DER, leaf first) would be refused by a peer with these bundles, or nil.
    func refusal(ofOwnChain chain: [[UInt8]]) throws(TLSFault) -> SVIDRefusal? {
        let certificates = try CertificateStack(chain)
        defer { extendLifetime(certificates) }
        // Safe: the store context is freed before the certificates that it refers to.
        guard let context = try unsafe X509_STORE_CTX_new_ex(CryptoLibrary.shared().pointer, nil) else {
            throw .outOfMemory
        }
        defer { unsafe X509_STORE_CTX_free(context) }
        let leaf = unsafe certificates.certificate(at: 0)
        guard unsafe X509_STORE_CTX_init(context, nil, leaf, certificates.pointer) == 1 else { throw .outOfMemory }
        defer { ErrorQueue.clear() }
        do throws(SVIDRefusal) {
            _ = try unsafe verify(context)
            return nil
        } catch {
            return error
        }
    }

    /// What was found out about the chain with this digest, if it holds now.
    func remembered(_ chain: Digest256) -> ChainMemory.Verdict? {
        let now = clock()
        return state.withLock { $0.memory.verdict(on: chain, now: now) }
    }

    /// Verifies the chain that `context` was made for.
    ///
    /// - Parameters:
    ///   - chain: the digest of all that the peer presented, to remember the verdict by.
    ///   - remembered: the verdict on that chain; of the chain, `context` then has the leaf alone.
    func verify(
        _ context: OpaquePointer, chain: Digest256? = nil, remembered: ChainMemory.Verdict? = nil
    ) throws(SVIDRefusal) -> PeerSVID {
        // Safe: the context holds its leaf and the presented certificates for the length of the call.
        guard let leaf = unsafe X509_STORE_CTX_get0_cert(context) else { throw .noCertificate }
        let presented = unsafe X509_STORE_CTX_get0_untrusted(context)
        guard unsafe postern_certs_count(presented) <= Self.maximumPresentedCertificates else { throw .chainTooLong }

        let now = clock()
        let generations = generations
        var verdict: ChainMemory.Verdict
        if let remembered {
            verdict = remembered
            verdict.peer.verifiedAt = now
        } else {
            verdict = try unsafe judge(context, CertificateDER.bytes(of: leaf), now: now)
            if let chain { remember(verdict, on: chain, generations) }
        }
        if let acceptPeer, !acceptPeer(verdict.peer.id) { throw .identityNotExpected }
        return verdict.peer
    }

    /// Remembers a verdict, unless what it rests on has changed meanwhile.
    private func remember(_ verdict: ChainMemory.Verdict, on chain: Digest256, _ generations: SessionGenerations) {
        state.withLock { state in
            guard state.generations == generations else { return }
            state.memory.remember(verdict, on: chain)
        }
    }

    /// Checks the leaf's rules, and then its path to the bundle of the trust domain that it claims.
    private func judge(
        _ context: OpaquePointer, _ leafDER: [UInt8], now: Int64
    ) throws(SVIDRefusal) -> ChainMemory.Verdict {
        let leaf = try CertificateFields(parsing: leafDER.span)
        let claimed = try leaf.claimedIdentity()
        guard let bundle = bundles[claimed.trustDomain] else { throw .unknownTrustDomain }
        let id = try leaf.leafIdentity()
        let path = try unsafe buildPath(
            context, to: bundle, trustDomain: id.trustDomain, leaf.notBefore...max(leaf.notBefore, leaf.notAfter), now)
        let holdsUntil = try unsafe checkRevocation(
            X509_STORE_CTX_get0_chain(context), leaf.serialNumber, id.trustDomain, now)
        guard let issuers = unsafe issuerPath(path.issuers, X509_STORE_CTX_get0_untrusted(context)) else {
            throw .invalidChain
        }
        return ChainMemory.Verdict(
            peer: PeerSVID(
                leaf, leafDER, id: id, issuers: issuers, chainNotAfter: path.validity.upperBound,
                holdsUntil: min(path.validity.upperBound, holdsUntil), verifiedAt: now),
            notBefore: path.validity.lowerBound)
    }

    /// Looks up every certificate below the anchor; returns the Unix second until which the answer holds.
    private func checkRevocation(
        _ path: OpaquePointer?, _ leaf: [UInt8], _ trustDomain: TrustDomain, _ now: Int64
    ) throws(SVIDRefusal) -> Int64 {
        var until = Int64.max
        guard !revocation.isIdle else { return until }
        // Safe: the path is the context's, and lives for the length of the call.
        for index in 0..<(unsafe postern_certs_count(path) - 1) {
            guard let certificate = unsafe postern_certs_at(path, index),
                let issuer = unsafe postern_certs_at(path, index + 1),
                let serial = index == 0
                    ? SerialNumber(leaf)
                    : SerialNumber(
                        try CertificateFields(parsing: unsafe CertificateDER.bytes(of: certificate).span).serialNumber)
            else { throw .invalidChain }
            until = min(until, try unsafe revocation.check(serial, of: issuer, trustDomain, now: now))
        }
        return until
    }

    /// The issuer path of these certificates, shared with those who have the same.
    private func issuerPath(_ path: [[UInt8]], _ presented: OpaquePointer?) -> IssuerPath? {
        // Safe: the stack is the context's, and lives for the length of the call.
        let others = unsafe (0..<max(0, postern_certs_count(presented))).map {
            unsafe CertificateDER.bytes(of: postern_certs_at(presented, $0))
        }
        guard let made = IssuerPath(path: path, presented: others.filter { !path.contains($0) }) else { return nil }
        return state.withLock { state in
            if let known = state.issuerPaths[made.digest] { return known }
            state.issuerPaths.insert(made, for: made.digest)
            return made
        }
    }

    /// Builds and checks the path; returns when all certificates of it are valid, in Unix seconds, and those above the
    /// leaf.
    private func buildPath(
        _ context: OpaquePointer, to bundle: AnchorStore, trustDomain: TrustDomain, _ leaf: ClosedRange<Int64>,
        _ now: Int64
    ) throws(SVIDRefusal) -> (validity: ClosedRange<Int64>, issuers: [[UInt8]]) {
        // Safe: the bundle's certificates outlive the context's use of them, since self keeps them.
        unsafe X509_STORE_CTX_set0_trusted_stack(context, bundle.certificates.pointer)
        let parameters = unsafe X509_STORE_CTX_get0_param(context)
        // The purpose is ours to check; an anchor need not be self-signed.
        unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY)
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST))
        unsafe X509_VERIFY_PARAM_set_depth(parameters, Self.maximumIntermediates)
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, Self.securityLevel)
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(now))
        let verified = unsafe X509_verify_cert(context)
        guard verified == 1 else { throw unsafe refusal(of: context, trustDomain: trustDomain) }

        let path = unsafe X509_STORE_CTX_get0_chain(context)
        let count = unsafe postern_certs_count(path)
        // A leaf that is itself in the bundle is no proof of anything: no one signed it for this domain.
        guard count >= 2 else { throw .unknownAuthority }
        var validity = leaf
        var issuers: [[UInt8]] = []
        for index in 0..<count {
            guard let certificate = unsafe postern_certs_at(path, index) else { throw .invalidChain }
            guard unsafe CriticalExtensions.allProcessed(in: certificate) else { throw .unknownCriticalExtension }
            guard index > 0 else { continue }
            let der = unsafe CertificateDER.bytes(of: certificate)
            let signer = try CertificateFields(parsing: der.span)
            try signer.checkSigning(of: trustDomain)
            issuers.append(der)
            validity = validity.clamped(to: signer.notBefore...max(signer.notBefore, signer.notAfter))
        }
        return (validity, issuers)
    }

    /// Why OpenSSL did not verify the path; our own rules say more of a signer that it calls no authority.
    private func refusal(of context: OpaquePointer, trustDomain: TrustDomain) -> SVIDRefusal {
        // Safe: the context is alive and keeps the certificate at which it stopped.
        let code = unsafe X509_STORE_CTX_get_error(context)
        if code == X509_V_ERR_INVALID_CA, let signer = unsafe X509_STORE_CTX_get_current_cert(context) {
            do throws(SVIDRefusal) {
                try CertificateFields(parsing: unsafe CertificateDER.bytes(of: signer).span)
                    .checkSigning(of: trustDomain)
            } catch {
                return error
            }
        }
        return SVIDRefusal(verificationCode: code)
    }

    /// 112 bits of security: RSA and DH of 2048 bits, elliptic curves of 224, no SHA-1.
    static let securityLevel: Int32 = 2
    /// Between the leaf and the anchor.
    static let maximumIntermediates: Int32 = 5
    /// What a peer may send: the leaf, the intermediates and an anchor that it adds for good measure.
    static let maximumPresentedCertificates = 7
}

/// The anchors of one trust domain, parsed once.
///
/// Sendable by hand: nothing changes the certificates once they are parsed, and OpenSSL counts its references
/// atomically.
final class AnchorStore: @unchecked Sendable {
    let certificates: CertificateStack

    init(_ ders: [[UInt8]]) throws(TLSFault) {
        certificates = try CertificateStack(ders)
    }
}

/// Judges the peer's chain in the middle of a handshake; `argument` is the context's `PeerVerifier`.
func verifyPeer(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    // Safe: the context that registered this callback owns the verifier and outlives its sessions; OpenSSL stores the
    // SSL in the store context's ex_data, and a session's SSL has a window before its handshake begins.
    let verifier = unsafe Unmanaged<PeerVerifier>.fromOpaque(argument!).takeUnretainedValue()
    let index = SSL_get_ex_data_X509_STORE_CTX_idx()
    guard let context = unsafe context, let ssl = unsafe X509_STORE_CTX_get_ex_data(context, index) else { return 0 }
    let window = unsafe RecordBIO.window(of: OpaquePointer(ssl))
    let generations = verifier.generations
    do throws(SVIDRefusal) {
        let peer = try unsafe verifier.verify(
            context, chain: window.pointee.findings.chainDigest, remembered: window.pointee.findings.rememberedVerdict)
        unsafe window.pointee.findings.verifiedPeer = peer
        unsafe window.pointee.findings.issuers = peer.issuers
        // What the session will need to know when it is continued.
        if let session = unsafe SSL_get_session(OpaquePointer(ssl)) {
            unsafe SessionTicketData(peer, generations).store(in: session)
        }
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        // The session would keep the path's certificates for its whole life; nothing here asks for them.
        unsafe X509_STORE_CTX_set0_verified_chain(context, nil)
        return 1
    } catch {
        unsafe window.pointee.findings.refusal = error
        if let leaf = unsafe X509_STORE_CTX_get0_cert(context) {
            unsafe window.pointee.findings.refusedPeer = RefusedPeer(
                leaf: leaf, isVerified: error == .identityNotExpected)
        }
        unsafe X509_STORE_CTX_set_error(context, error.verificationCode)
        return 0
    }
}
