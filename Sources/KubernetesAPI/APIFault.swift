/// Why a request to the API server failed. Never holds the token or an object.
public enum APIFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Files or the environment are not as they must be.
    case configuration(String)
    /// No connection, no TLS with the server that was meant, or no answer in time.
    case network(String)
    /// The server's answer is no HTTP or no JSON.
    case malformed(String)
    /// The server's answer is larger than this client takes.
    case tooLarge
    /// The server answered with a Status: its HTTP code, the machine's reason such as `Conflict`, and a text.
    case refused(status: Int, reason: String, message: String, retryAfterSeconds: Int?)

    public var description: String {
        switch self {
        case .tooLarge: "the API server's answer is too large"
        case .configuration(let text), .malformed(let text), .network(let text): text
        case .refused(let status, let reason, let message, _):
            "the API server answered with \(status)\(reason.isEmpty ? "" : " \(reason)")"
                + (message.isEmpty ? "" : ": \(message)")
        }
    }

    public var status: Int? {
        if case .refused(let status, _, _, _) = self { status } else { nil }
    }

    public var isNotFound: Bool { status == 404 }

    /// The object has changed since it was read, or exists already (409).
    public var isConflict: Bool { status == 409 }

    public var alreadyExists: Bool {
        if case .refused(409, "AlreadyExists", _, _) = self { true } else { false }
    }

    /// The resourceVersion or the page is too old to go on from (410): list anew.
    public var isGone: Bool { status == 410 }

    /// How long the server asks to be left alone.
    public var retryAfterSeconds: Int? {
        if case .refused(_, _, _, let seconds) = self { seconds } else { nil }
    }
}
