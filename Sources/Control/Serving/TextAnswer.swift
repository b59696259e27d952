/// The status and text of an answer over HTTP.
package struct TextAnswer: Equatable, Sendable {
    package let status: Int32
    package let text: String
    /// The methods that the path has.
    package let allow: String?

    package init(_ status: Int32, _ text: String, allow: String? = nil) {
        self.status = status
        self.text = text
        self.allow = allow
    }

    /// - Parameter details: what follows on lines of its own.
    package init(_ readiness: Readiness, details: String = "") {
        let more = details.isEmpty ? "" : "\n\(details)"
        switch readiness {
        case .ready: self.init(200, "ready\(more)")
        case .notReady(let reason): self.init(503, "not ready: \(reason)\(more)")
        }
    }
}
