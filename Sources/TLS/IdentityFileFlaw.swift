public import Identity

/// One thing that is wrong with an identity's files.
public struct IdentityFileFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which setting names the file.
    public enum Role: Hashable, Sendable {
        case certificate
        case privateKey
        case trustBundle(TrustDomain)
        case revocationList(TrustDomain)
    }

    public enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    public let path: String
    public let role: Role
    public let severity: Severity
    /// Without the path: "no such file".
    public let message: String

    public var description: String { "\(path): \(severity.rawValue): \(message)" }
}
