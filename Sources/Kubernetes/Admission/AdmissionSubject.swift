/// What a review is about, for logs: as the API server says, unchecked.
public struct AdmissionSubject: Sendable {
    public let uid: String
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    public let operation: String
    public let namespace: String
    /// Of a pod that has no name yet the prefix that it will have (`generateName`).
    public let name: String
    /// Nothing comes of the request.
    public let isDryRun: Bool
}
