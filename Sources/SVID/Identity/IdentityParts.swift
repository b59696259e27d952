import Crypto
import Identity

/// What an identity is made of, as a source delivers it: decoded, and not yet looked at. What a source could not read
/// is nil, and has its flaw already.
struct IdentityParts {
    struct Bundle {
        let trustDomain: TrustDomain
        /// DER.
        let authorities: [[UInt8]]?
        var path: String?
    }

    struct RevocationLists {
        /// Nil where the source does not say.
        let trustDomain: TrustDomain?
        /// DER.
        let lists: [[UInt8]]?
        var path: String?
    }

    /// DER; the SVID first, then its intermediates.
    var chain: [[UInt8]]?
    var key: PrivateKeyBytes?
    var bundles: [Bundle] = []
    var revocationLists: [RevocationLists] = []
    var revocation: Revocation.Mode
    /// What the source found.
    var flaws: [IdentityFlaw] = []
    /// The files that the SVID and its key are in.
    var chainPath: String?
    var keyPath: String?
}
