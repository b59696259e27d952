import COpenSSL

/// What a verified leaf rested on: the certificates above it. Peers of one authority share one.
///
/// A connection keeps it, so that it can be asked later whether the peer would still be accepted.
final class IssuerPath: Sendable {
    /// DER; the certificate that signed the leaf first, the anchor last.
    let path: [[UInt8]]
    /// DER; what the peer presented beside its leaf.
    let presented: [[UInt8]]
    let digest: Digest256

    /// Nil when OpenSSL cannot compute the digest.
    init?(path: [[UInt8]], presented: [[UInt8]]) {
        precondition(!path.isEmpty, "someone signed the leaf")
        var all: [UInt8] = []
        for certificate in path { all += certificate }
        // What was only presented counts as another thing than what leads to the anchor.
        all.append(0)
        for certificate in presented { all += certificate }
        // Safe: the bytes are read within the closure only.
        guard let digest = unsafe all.withUnsafeBytes({ unsafe Digest256(sha256: $0) }) else { return nil }
        self.path = path
        self.presented = presented
        self.digest = digest
    }
}

extension IssuerPath: Hashable {
    static func == (left: IssuerPath, right: IssuerPath) -> Bool { left === right || left.digest == right.digest }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}
