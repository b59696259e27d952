import Control

/// What a client of the webhook asks for. Pure; ``ReviewServer`` answers.
struct ReviewRequest {
    enum Action: Equatable {
        /// To be answered within so many milliseconds.
        case review(timeoutMilliseconds: Int64)
        case live
        case ready
        case refuse(TextAnswer)
    }

    var method: HTTPMethod
    var path: String
    var query = ""
    /// The header `Content-Type`.
    var contentType: String?
    /// The common name of the client's certificate.
    var client: String?

    /// - Parameter clients: who may send reviews; nil: anyone.
    func action(clients: Set<String>?) -> Action {
        switch path {
        case "/inject":
            guard method == .post else { return .refuse(TextAnswer(405, "only POST", allow: "POST")) }
            if let clients, !(client.map(clients.contains) ?? false) {
                return .refuse(TextAnswer(403, "the client's certificate is not one that may send reviews"))
            }
            guard isJSON else { return .refuse(TextAnswer(415, "expected Content-Type: application/json")) }
            return .review(timeoutMilliseconds: timeoutMilliseconds)
        case "/livez", "/readyz":
            guard method == .get || method == .head else {
                return .refuse(TextAnswer(405, "only GET and HEAD", allow: "GET, HEAD"))
            }
            return path == "/livez" ? .live : .ready
        default: return .refuse(TextAnswer(404, "not found: reviews go to /inject"))
        }
    }

    private var isJSON: Bool {
        guard let type = contentType?.split(separator: ";", omittingEmptySubsequences: false).first else {
            return false
        }
        return type.filter { $0 != " " && $0 != "\t" }.lowercased() == "application/json"
    }

    /// As kube-apiserver tells in `?timeout=10s`: it asks no longer.
    private var timeoutMilliseconds: Int64 {
        for part in query.split(separator: "&") where part.hasPrefix("timeout=") {
            guard part.hasSuffix("s"), let seconds = Int64(part.dropFirst("timeout=".count).dropLast()) else { break }
            return min(max(seconds, 1), Self.longestSeconds) * 1_000
        }
        return Self.longestSeconds * 1_000
    }

    /// The API server's limit of `timeoutSeconds`.
    private static let longestSeconds: Int64 = 30
}
