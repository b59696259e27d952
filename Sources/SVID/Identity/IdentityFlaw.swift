public import Identity

/// One thing that is wrong with an identity, from whichever source it came.
public struct IdentityFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// What of an identity is flawed.
    public enum Part: Hashable, Sendable {
        case svid
        case privateKey
        case trustBundle(TrustDomain)
        /// CRLs; nil where the source does not say whose they are.
        case revocationLists(TrustDomain?)
    }

    public enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    public let part: Part
    public let severity: Severity
    /// Without the part or the file: "no such file".
    public let message: String
    /// The file that it was found in; nil for what came over the Workload API.
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
