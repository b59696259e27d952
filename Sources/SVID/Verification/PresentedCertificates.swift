import Crypto

/// What a peer presented beside its leaf and the path that was found, kept so that the same can be looked through
/// again.
struct PresentedCertificates: Sendable {
    /// DER, in its order, without the certificates of the path; none where they are too long to be kept. Such a peer is
    /// asked to come again sooner than another.
    private let others: [[UInt8]]
    private let includesAnchor: Bool
    /// Of all that.
    let digest: Digest256?

    /// - Parameters:
    ///   - certificates: all that the peer presented, its leaf first if it is among them.
    ///   - path: what was found with them.
    init(_ certificates: CertificateStack, leaf: Certificate, _ path: IssuerPath) {
        let first = certificates.count > 0 && certificates[0].isSame(as: leaf) ? 1 : 0
        var others: [[UInt8]] = []
        var includesAnchor = false
        for index in first..<max(first, certificates.count) {
            let certificate = certificates[index]
            if path.anchor.certificate.isSame(as: certificate) { includesAnchor = true }
            guard !path.signers.contains(where: { $0.certificate.isSame(as: certificate) }) else { continue }
            others.append(certificate.der)
        }
        if others.reduce(0, { $0 + $1.count }) > Self.keptBytesAtMost { others = [] }
        self.others = others
        self.includesAnchor = includesAnchor
        digest = others.isEmpty ? nil : Digest256(sha256: Array(others.joined()))
    }

    /// All that the peer presented beside its leaf. What lies between leaf and anchor is always among it, for the
    /// anchor alone comes from the bundle.
    func certificates(_ path: IssuerPath) throws(CryptoFault) -> CertificateStack {
        var all = path.signers.dropLast(includesAnchor ? 0 : 1).map(\.certificate)
        for der in others { all.append(try Certificate(parsing: der)) }
        return try CertificateStack(all)
    }

    private static let keptBytesAtMost = 4_096
}
