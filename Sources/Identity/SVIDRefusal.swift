/// Why a peer's certificate chain is refused: a stable code, whose raw value is what logs show.
public enum SVIDRefusal: String, Error, Sendable, CaseIterable {
    // Found in the DER of one certificate.
    case malformedCertificate = "malformed-certificate"
    case noURISAN = "no-uri-san"
    case severalURISANs = "several-uri-sans"
    case notASPIFFEID = "not-a-spiffe-id"
    case leafWithoutPath = "leaf-without-path"
    case leafIsCA = "leaf-is-ca"
    case noKeyUsage = "no-key-usage"
    case noDigitalSignature = "no-digital-signature"
    case leafMaySign = "leaf-may-sign"
    case extendedKeyUsage = "extended-key-usage"
    case signerNotCA = "signer-not-ca"
    case signerWithoutKeyCertSign = "signer-without-key-cert-sign"
    case signerWithPath = "signer-id-has-path"
    case signerIDInvalid = "signer-id-invalid"
    case signerOfOtherDomain = "signer-of-other-domain"

    // Found while the chain is built and checked.
    case noCertificate = "no-certificate"
    case unknownTrustDomain = "unknown-trust-domain"
    case unknownAuthority = "unknown-authority"
    case expired = "certificate-expired"
    case notYetValid = "certificate-not-yet-valid"
    case badSignature = "bad-signature"
    case weakKey = "weak-key"
    case weakSignature = "weak-signature"
    case nameConstraint = "name-constraint"
    case pathLength = "path-length"
    case unknownCriticalExtension = "unknown-critical-extension"
    case chainTooLong = "chain-too-long"
    case invalidChain = "invalid-chain"

    /// A certificate of the chain is on its issuer's CRL.
    case revoked = "revoked"
    /// CRLs are required, and the issuer's is missing or stale.
    case revocationUnknown = "revocation-unknown"

    /// The peer's SVID is valid, but the route does not name its identity.
    case identityNotExpected = "identity-not-expected"
}
