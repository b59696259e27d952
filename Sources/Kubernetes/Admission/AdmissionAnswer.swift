import Settings

/// The answer to an AdmissionReview.
public struct AdmissionAnswer: Sendable {
    public enum Outcome: Sendable {
        case injected
        /// Allowed as it is.
        case skipped(AdmissionSkip)
        case denied(String)
    }

    public let outcome: Outcome
    public let subject: AdmissionSubject
    /// The size of the JSON patch; 0 without one.
    public let patchBytes: Int
    /// The AdmissionReview to send back, in JSON.
    public let body: [UInt8]
}

/// Why a body is no AdmissionReview that can be answered: one of HTTP's status 400.
public struct AdmissionFault: Error, Sendable, CustomStringConvertible {
    public let description: String
}

extension Injection {
    /// Answers an AdmissionReview (`admission.k8s.io/v1`) as kube-apiserver sends it to a mutating webhook.
    ///
    /// A pod that is created gets the sidecar by a JSON patch. One that cannot get it safely is denied, and so is an
    /// ephemeral container that would pass the proxy by; everything else is allowed as it is. A dry run is answered in
    /// the same way, because nothing here has an effect elsewhere.
    public func answer(to review: [UInt8]) throws(AdmissionFault) -> AdmissionAnswer {
        let request: AdmissionRequest
        do throws(SettingsFlaw) {
            request = try AdmissionRequest(review)
        } catch {
            throw AdmissionFault(description: "no AdmissionReview: \(error.message)")
        }
        do throws(SettingsFlaw) {
            switch (request.operation, request.subresource) {
            case ("CREATE", ""): return try create(request)
            case ("UPDATE", "ephemeralcontainers"): return try update(request)
            default: return request.allow(.operation(request.operation))
            }
        } catch {
            return request.deny(error.message)
        }
    }

    private func create(_ request: AdmissionRequest) throws(SettingsFlaw) -> AdmissionAnswer {
        guard let workload = try request.pod() else { return request.allow(.notAPod) }
        var scan = PodScan()
        switch try Decision(workload, image: image, version: version, &scan) {
        case .skip(.alreadyInjected(let version)):
            // Another webhook may have added containers since, after which we are asked again.
            if let pod = workload.pod, let addition = try ProbeAddition(pod, image: image, &scan) {
                return request.patch(JSONPatch(addition), addition.warnings)
            }
            return request.allow(.pod(.alreadyInjected(version: version)))
        case .skip(let reason): return request.allow(.pod(reason))
        case .inject(let injectable): return request.patch(JSONPatch(injectable), injectable.warnings)
        }
    }

    /// A debugger with the proxy's user would pass the proxy by.
    private func update(_ request: AdmissionRequest) throws(SettingsFlaw) -> AdmissionAnswer {
        guard let workload = try request.pod(), let pod = workload.pod, let spec = try pod.child("spec"),
            let containers = try spec.child("ephemeralContainers"),
            pod.node.value("metadata")?.value("annotations")?.value(PodAnnotation.injected.name) != nil
        else { return request.allow(.pod(.notInjected)) }
        var scan = PodScan()
        let choices = try PodChoices(pod, image: image)
        if choices.redirection != .none { try scan.refuseUser(in: containers) }
        return request.allow(
            .ephemeralContainers, ContainerWarnings.all(spec, choices, lists: ["ephemeralContainers"]))
    }
}
