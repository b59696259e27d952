public import Identity
public import Policy

/// What a policy test expects.
public enum PolicyExpectation: String, Hashable, Sendable, CaseIterable {
    case allow, deny
    /// Forwarded, because the policy only audits.
    case wouldDeny = "would-deny"
}

/// One connection of a policy test, and what is to become of it.
public struct PolicyCase: Equatable, Sendable {
    public var name: String
    public var listener: String
    /// Nil: the client proves nothing.
    public var identity: SPIFFEID?
    public var source: IPAddress
    public var serverName: String?
    public var applicationProtocol: String?
    public var port: UInt16?
    /// On a transparent listener; port 0: any.
    public var destination: Endpoint?
    public var expectation: PolicyExpectation
    public var route: String?
    public var rule: String?
    public var position: Position
}

/// A file of policy tests.
public struct PolicyCases: Sendable {
    /// The file of the settings, if the file names one.
    public var settings: String?
    public var cases: [PolicyCase]
}
