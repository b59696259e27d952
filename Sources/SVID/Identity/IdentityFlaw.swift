public import Identity

/// One flaw of an identity, whatever its source.
public struct IdentityFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// The flawed part of an identity.
    public enum Part: Hashable, Sendable {
        case svid
        case privateKey
        case trustBundle(TrustDomain)
        /// CRLs; nil if the source does not name their trust domain.
        case revocationLists(TrustDomain?)
    }

    public enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    public let part: Part
    public let severity: Severity
    /// Without the part or the file: "no such file".
    public let message: String
    /// The file that has the flaw; nil for identities from the Workload API.
    public let path: String?

    init(_ part: Part, _ message: String, _ severity: Severity = .error, path: String? = nil) {
        self.part = part
        self.severity = severity
        self.message = message
        self.path = path
    }

    public var description: String { "\(path ?? subject): \(message)" }

    private var subject: String {
        switch part {
        case .svid: "the SVID"
        case .privateKey: "the private key"
        case .trustBundle(let domain): "the trust bundle of \"\(domain)\""
        case .revocationLists(let domain?): "the CRLs of \"\(domain)\""
        case .revocationLists(nil): "the CRLs"
        }
    }
}
