package import Crypto
import Identity

/// What a verified leaf rests on: the certificates above it. Peers of one authority share one.
package final class IssuerPath: Sendable {
    /// A certificate of the path, with the fields that the signer rules check.
    struct Signer: Sendable {
        let certificate: Certificate
        /// SHA-256 of its DER.
        let digest: Digest256
        let fields: CertificateFields
        let serial: SerialNumber
        let criticalExtensionsAreProcessed: Bool
    }

    /// The leaf's issuer first, the anchor last.
    let signers: [Signer]
    /// Of the signers' DER.
    package let digest: Digest256
    /// Unix seconds between which all signers are valid.
    let notBefore: Int64
    let notAfter: Int64

    /// - Parameter path: not empty.
    init(_ path: [Certificate]) throws(SVIDRefusal) {
        var signers: [Signer] = []
        var all: [UInt8] = []
        for certificate in path {
            let der = certificate.der
            let fields = try CertificateFields(parsing: der.span)
            guard let serial = SerialNumber(fields.serialNumber), let digest = Digest256(sha256: der) else {
                throw .malformedCertificate
            }
            signers.append(
                Signer(
                    certificate: certificate, digest: digest, fields: fields, serial: serial,
                    criticalExtensionsAreProcessed: certificate.criticalExtensionsAreProcessed))
            all += der
        }
        guard !signers.isEmpty, let digest = Digest256(sha256: all) else { throw .invalidChain }
        self.signers = signers
        self.digest = digest
        notBefore = signers.reduce(.min) { max($0, $1.fields.notBefore) }
        notAfter = signers.reduce(.max) { min($0, $1.fields.notAfter) }
    }

    var anchor: Signer { signers[signers.count - 1] }

    /// Whether a signer has name constraints: then the path may be valid for one leaf but not for another of the same
    /// signer.
    var constrainsNames: Bool { signers.contains { $0.certificate.constrainsNames } }
}
