import Settings

/// The request of an AdmissionReview.
struct AdmissionRequest {
    let uid: String
    let operation: String
    let subresource: String
    private let kind: String
    private let request: Cursor

    init(_ review: [UInt8]) throws(SettingsFlaw) {
        let manifest = try Manifest(JSONSource.readable(review), file: "review")
        guard manifest.documents.count == 1, let document = manifest.documents.first else {
            throw Self.flaw("expected one JSON object")
        }
        let root = Cursor(document, in: manifest.source)
        guard try root.text("kind") == "AdmissionReview" else { throw Self.flaw("expected `kind`: AdmissionReview") }
        guard try root.text("apiVersion") == Self.version else {
            throw Self.flaw("expected `apiVersion`: \(Self.version)")
        }
        guard let request = try root.child("request"), request.node.entries != nil else {
            throw Self.flaw("expected `request`")
        }
        self.request = request
        uid = try request.text("uid")
        guard !uid.isEmpty, uid.utf8.count <= 256 else { throw Self.flaw("expected `uid` of the request") }
        operation = try request.text("operation")
        subresource = try request.text("subResource")
        guard let kind = try request.child("kind") else { throw Self.flaw("expected `kind` of the request") }
        // Of the core group; others have kinds of the same name.
        let isCore = try kind.text("group").isEmpty
        self.kind = isCore ? try kind.text("kind") : ""
    }

    /// The pod of the request; nil if its object is none.
    func pod() throws(SettingsFlaw) -> Workload? {
        guard kind == "Pod", let object = try request.child("object"), object.node.entries != nil else { return nil }
        let name = object.node.value("metadata")?.value("name")?.text ?? ""
        return Workload(kind: kind, name: name, object: object, pod: object)
    }

    func allow(_ reason: AdmissionSkip, _ warnings: [SettingsFlaw] = []) -> AdmissionAnswer {
        answer(.skipped(reason), isAllowed: true, reason.description, Self.warnings(warnings))
    }

    func deny(_ message: String) -> AdmissionAnswer {
        let status = Value.mapping([
            Value.Field("status", .text("Failure")), Value.Field("reason", .text("Invalid")),
            Value.Field("message", .text(message)), Value.Field("code", .plain("422")),
        ])
        return answer(.denied(message), isAllowed: false, message, [Value.Field("status", status)])
    }

    func patch(_ patch: JSONPatch, _ warnings: [SettingsFlaw]) -> AdmissionAnswer {
        let text = Array(patch.text.utf8)
        let fields = [
            Value.Field("patchType", .text("JSONPatch")), Value.Field("patch", .text(base64(text))),
        ]
        return answer(.injected, isAllowed: true, "injected", fields + Self.warnings(warnings), patchBytes: text.count)
    }

    private static func warnings(_ warnings: [SettingsFlaw]) -> [Value.Field] {
        guard !warnings.isEmpty else { return [] }
        return [Value.Field("warnings", .list(warnings.prefix(warningsAtMost).map { .text($0.message) }))]
    }

    private func answer(
        _ outcome: AdmissionAnswer.Outcome, isAllowed: Bool, _ decision: String, _ fields: [Value.Field],
        patchBytes: Int = 0
    ) -> AdmissionAnswer {
        let response = Value.mapping(
            [
                Value.Field("uid", .text(uid)), Value.Field("allowed", .plain(isAllowed ? "true" : "false")),
                Value.Field("auditAnnotations", .mapping([Value.Field("decision", .text(decision))])),
            ] + fields)
        let review = Value.mapping([
            Value.Field("apiVersion", .text(Self.version)), Value.Field("kind", .text("AdmissionReview")),
            Value.Field("response", response),
        ])
        return AdmissionAnswer(
            outcome: outcome, subject: subject, patchBytes: patchBytes, body: Array(review.flow.utf8))
    }

    private var subject: AdmissionSubject {
        let (node, metadata) = (request.node, request.node.value("object")?.value("metadata"))
        func text(_ node: SourceNode?) -> String { node?.text ?? "" }
        let name = text(node.value("name"))
        return AdmissionSubject(
            uid: uid, operation: operation, namespace: text(node.value("namespace")),
            name: !name.isEmpty ? name : text(metadata?.value("name") ?? metadata?.value("generateName")),
            isDryRun: text(node.value("dryRun")) == "true")
    }

    private static func flaw(_ message: String) -> SettingsFlaw {
        SettingsFlaw(.error, at: Position(file: "review", line: 1, column: 1), message)
    }

    private static let version = "admission.k8s.io/v1"
    /// The warnings of one answer may have 4,096 bytes in all.
    private static let warningsAtMost = 8
}
