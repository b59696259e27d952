import Crypto
public import Identity

/// A peer whose chain was verified, for authorization, the access log and later rechecks.
public struct PeerSVID: Sendable {
    /// Shared by the connections of one peer: a copy of this value costs one reference.
    private let chain: VerifiedChain
    /// Unix seconds after which the chain must be verified anew: when a certificate of it is no longer valid, or a CRL
    /// that counted is too old.
    package var holdsUntil: Int64 { chain.holdsUntil }
    /// Unix seconds at which the chain was verified; earlier than the handshake when a session was resumed.
    public internal(set) var verifiedAt: Int64

    init(_ chain: VerifiedChain, verifiedAt: Int64) {
        self.chain = chain
        self.verifiedAt = verifiedAt
    }

    package var leaf: SVIDLeaf { chain.leaf }
    package var issuers: IssuerPath { chain.issuers }
    var presented: PresentedCertificates { chain.presented }

    public var id: SPIFFEID { leaf.id }
    /// The serial number in lower-case hex, as in the certificate.
    public var serialHex: String { leaf.serialHex }
    /// SHA-256 of the certificate's DER in lower-case hex.
    public var sha256Hex: String { leaf.sha256Hex }
    /// Unix seconds after which the certificate is no longer valid.
    public var notAfter: Int64 { leaf.notAfter }
    /// Unix seconds after which some certificate of the verified chain is no longer valid.
    public var chainNotAfter: Int64 { min(leaf.notAfter, issuers.notAfter) }
    /// Unix seconds from which all certificates of the chain are valid.
    package var chainNotBefore: Int64 { max(leaf.notBefore, issuers.notBefore) }
}

/// What was verified of a peer.
final class VerifiedChain: Sendable {
    let leaf: SVIDLeaf
    /// What the leaf rests on.
    let issuers: IssuerPath
    let presented: PresentedCertificates
    let holdsUntil: Int64

    init(_ leaf: SVIDLeaf, _ issuers: IssuerPath, _ presented: PresentedCertificates, holdsUntil: Int64) {
        self.leaf = leaf
        self.issuers = issuers
        self.presented = presented
        self.holdsUntil = holdsUntil
    }
}
