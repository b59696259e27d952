/// One result of an examination of a host: what was examined, how it is, and what to do about it.
public struct Finding: Hashable, Sendable {
    public enum Severity: String, Sendable {
        case ok, warning, error
    }

    public enum Subject: String, Sendable, CaseIterable {
        case kernel, ioURing = "io_uring", seccomp, capabilities, firewall, ports, clock, descriptors, resources,
            openssl
        case settings, certificate, identitySocket = "identity-socket", environment
    }

    public let subject: Subject
    public let severity: Severity
    public let message: String
    /// Nil where nothing needs to be done.
    public let remedy: String?

    init(_ subject: Subject, _ severity: Severity, _ message: String, remedy: String? = nil) {
        self.subject = subject
        self.severity = severity
        self.message = message
        self.remedy = remedy
    }
}
