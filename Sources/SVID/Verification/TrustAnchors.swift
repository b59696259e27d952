import Crypto
import Identity

/// The trust bundle of one trust domain, parsed once.
final class TrustAnchors: Sendable {
    private let builder: ChainBuilder
    /// SHA-256 of each anchor's DER.
    private let digests: Set<Digest256>

    init(_ bundle: TrustBundle) throws(CryptoFault) {
        builder = try ChainBuilder(anchors: bundle.certificates)
        digests = Set(bundle.certificates.compactMap { Digest256(sha256: $0) })
    }

    /// Whether `path` ends in one of these anchors: then the other anchors do not matter, as they are not part of it.
    func hold(_ path: IssuerPath) -> Bool { digests.contains(path.anchor.digest) }

    /// Builds and verifies the path of `leaf`.
    func path(
        of leaf: Certificate, presented: CertificateStack, _ time: ChainBuilder.Time, of trustDomain: TrustDomain
    ) throws(SVIDRefusal) -> IssuerPath {
        let path: [Certificate]
        do throws(ChainFault) {
            path = try builder.path(from: leaf, through: presented, time)
        } catch {
            throw SVIDRefusal(error, trustDomain)
        }
        return try IssuerPath(path)
    }
}

extension SVIDRefusal {
    /// The refusal that a path building fault means for a peer of `trustDomain`.
    init(_ fault: ChainFault, _ trustDomain: TrustDomain) {
        self =
            switch fault {
            case .unknownAuthority: .unknownAuthority
            case .expired: .expired
            case .notYetValid: .notYetValid
            case .badSignature: .badSignature
            case .weakKey: .weakKey
            case .weakSignature: .weakSignature
            case .nameConstraint: .nameConstraint
            case .pathLength: .pathLength
            case .unknownCriticalExtension: .unknownCriticalExtension
            case .chainTooLong: .chainTooLong
            case .malformedCertificate: .malformedCertificate
            case .signerWithoutKeyCertSign: .signerWithoutKeyCertSign
            case .signerNotCA(let signer): signer.flatMap { Self.refusal(of: $0, trustDomain) } ?? .signerNotCA
            case .outOfMemory, .invalid: .invalidChain
            }
    }

    /// Our own rules say more precisely why a signer is not a CA.
    private static func refusal(of signer: Certificate, _ trustDomain: TrustDomain) -> SVIDRefusal? {
        do throws(SVIDRefusal) {
            try CertificateFields(parsing: signer.der.span).checkSigning(of: trustDomain)
            return nil
        } catch {
            return error
        }
    }
}
