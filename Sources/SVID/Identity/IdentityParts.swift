import Crypto
import Identity

/// The parts of an identity as a source delivers them: decoded but not yet checked. A part that the source could not
/// read is nil and already has its flaw.
struct IdentityParts {
    struct Bundle {
        let trustDomain: TrustDomain
        /// DER.
        let authorities: [[UInt8]]?
        var path: String?
    }

    struct RevocationLists {
        /// Nil if the source does not say.
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
    /// The flaws that the source found.
    var flaws: [IdentityFlaw] = []
    /// The files that the SVID and its key are in.
    var chainPath: String?
    var keyPath: String?
}
