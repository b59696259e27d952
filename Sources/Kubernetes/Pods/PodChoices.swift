import Policy
import Redirection
import Settings

/// What the annotations of a pod choose.
struct PodChoices {
    var isDisabled = false
    /// The version that injected the pod.
    var injectedBy: String?
    var settings = "postern-settings"
    var image: String
    var redirection = RedirectionChoice.redirect
    var rewritesProbes = true
    var identity = IdentitySource.csi
    var identitySocket = "/run/spire/agent-sockets/spire-agent.sock"
    /// The name of the Secret; given if that is the source.
    var identitySecret: String?
    /// Given if Kubernetes is the source.
    var identitySigner: String?
    var identityKeyType = PodKeyType.p256
    /// The name of a ClusterTrustBundle; nil: all of the signer.
    var identityTrustBundle: String?
    var drainDelay: String?
    var drainTimeout: String?
    var skippedInboundPorts: String?
    var skippedOutboundPorts: String?
    var skippedOutboundAddresses: String?
    /// Nil: RuntimeDefault.
    var seccompProfile: String?
    var resources = ResourceChoices()

    /// Reads the pod's own annotations. Throws the first flaw: an unknown name, or a value that is none.
    init(_ pod: Cursor, image: String) throws(SettingsFlaw) {
        self.image = image
        guard let metadata = try pod.child("metadata") else { return }
        if case .alias = metadata.node.content { try metadata.requireEditable() }
        let labelled = try Self.isDisabledByLabel(metadata)
        isDisabled = labelled ?? false
        guard let annotations = try metadata.child("annotations"), !annotations.node.resolved.isNull else { return }
        guard let entries = annotations.node.resolved.entries else {
            throw annotations.flaw("`annotations` must be a mapping")
        }
        if let key = annotations.mergeKey(thatHas: { $0.hasPrefix(PodAnnotation.prefix) }) {
            throw annotations.flaw(
                "an annotation of \(quoted(PodAnnotation.prefix)) comes by a merge key (`<<`): write it out", at: key)
        }
        var seen: Set<String> = []
        for entry in entries {
            guard let key = entry.key.resolved.text, key.hasPrefix(PodAnnotation.prefix) else { continue }
            let name = String(key.dropFirst(PodAnnotation.prefix.count))
            if let absent = AbsentAnnotation(rawValue: name) {
                throw pod.flaw("there is no annotation \(quoted(key)): \(absent.advice)", at: entry.key)
            }
            guard let annotation = PodAnnotation(rawValue: name) else {
                throw pod.flaw("there is no annotation \(quoted(key))\(Self.suggestion(for: key))", at: entry.key)
            }
            guard seen.insert(key).inserted else { throw pod.flaw("a second annotation \(quoted(key))", at: entry.key) }
            guard let value = entry.value.resolved.text else {
                throw pod.flaw("the annotation \(quoted(key)) must be text", at: entry.value)
            }
            if let expected = read(annotation, value) {
                throw pod.flaw("\(quoted(key)): expected \(expected), found \(quoted(value))", at: entry.value)
            }
        }
        if let labelled, seen.contains(PodAnnotation.inject.name), labelled != isDisabled {
            throw annotations.flaw("\(quoted(PodAnnotation.inject.name)) says one thing here and another as a label")
        }
        try refuseUseless(annotations, seen)
    }

    /// What the label says, which is the one by which a webhook selects pods; nil if there is none.
    private static func isDisabledByLabel(_ metadata: Cursor) throws(SettingsFlaw) -> Bool? {
        let name = PodAnnotation.inject.name
        guard let labels = try metadata.child("labels"), let label = try labels.child(name) else { return nil }
        switch label.node.resolved.text {
        case "enabled": return false
        case "disabled": return true
        default: throw label.flaw("\(quoted(name)): expected enabled or disabled")
        }
    }

    /// Refuses what another annotation needs, or makes useless.
    private func refuseUseless(_ annotations: Cursor, _ seen: Set<String>) throws(SettingsFlaw) {
        if let (request, limit) = resources.contradiction {
            throw annotations.flaw("\(quoted(request.name)) is more than \(quoted(limit.name))")
        }
        let source = PodAnnotation.identity.name
        if identity == .secret, identitySecret == nil {
            throw annotations.flaw(
                "\(quoted(source)) is a secret: name it in \(quoted(PodAnnotation.identitySecret.name))")
        }
        if identity == .podCertificate, identitySigner == nil {
            throw annotations.flaw(
                "\(quoted(source)) is a certificate of Kubernetes: name its signer in "
                    + "\(quoted(PodAnnotation.identitySigner.name))")
        }
        for (annotation, owner) in [
            (PodAnnotation.identitySecret, IdentitySource.secret), (.identitySocket, .host),
            (.identitySigner, .podCertificate), (.identityKeyType, .podCertificate),
            (.identityTrustBundle, .podCertificate),
        ] where seen.contains(annotation.name) && identity != owner {
            throw annotations.flaw(
                "\(quoted(annotation.name)) has no effect unless \(quoted(source)) is \(owner.rawValue)")
        }
    }

    /// Refuses annotations of ours where they would have no effect: at an object that makes pods, and among labels.
    static func refuseMisplaced(_ workload: Workload) throws(SettingsFlaw) {
        let metadata = workload.object.node.value("metadata")
        let annotations = workload.kind == "Pod" ? nil : metadata?.value("annotations")
        let podLabels = workload.pod?.node.value("metadata")?.value("labels")
        for place in [annotations, metadata?.value("labels"), podLabels].compactMap(\.self) {
            for entry in place.entries ?? [] {
                guard let key = entry.key.text, key.hasPrefix(PodAnnotation.prefix) else { continue }
                // A webhook selects pods by their labels.
                if place === podLabels, key == PodAnnotation.inject.name { continue }
                throw workload.object.flaw(
                    "\(quoted(key)) has no effect here: it belongs to the annotations of the pod template",
                    at: entry.key)
            }
        }
    }

    /// Whether clients reach the port without the proxy.
    func skipsInbound(_ port: UInt16) -> Bool {
        guard redirection != .none else { return true }
        let ranges = skippedInboundPorts?.split(separator: ",").compactMap { try? PortRange(parsing: String($0)) }
        return ranges?.contains { $0.contains(port) } ?? false
    }

    /// The annotation that exempts what `postern validate` tries, which would then prove nothing.
    var skipsTrial: PodAnnotation? {
        func has(_ list: String?, _ isWanted: (String) -> Bool) -> Bool {
            list?.split(separator: ",").contains { isWanted(String($0)) } ?? false
        }
        func isTrialPort(_ text: String) -> Bool {
            (try? PortRange(parsing: text))?.contains(ValidationLeg.port) ?? false
        }
        func isAroundTrial(_ text: String) -> Bool {
            guard let block = try? CIDR(parsing: text) else { return false }
            return IPFamily.allCases.contains { block.contains($0.addressOfNobody) }
        }
        if has(skippedOutboundPorts, isTrialPort) { return .skipOutboundPorts }
        if has(skippedOutboundAddresses, isAroundTrial) { return .skipOutboundAddresses }
        return nil
    }

    /// Takes the value, or returns what was expected instead.
    private mutating func read(_ annotation: PodAnnotation, _ value: String) -> String? {
        switch annotation {
        case .inject:
            guard value == "enabled" || value == "disabled" else { return "enabled or disabled" }
            isDisabled = value == "disabled"
        case .injected:
            injectedBy = value
        case .settings:
            guard value.isObjectName else { return "the name of a ConfigMap" }
            settings = value
        case .image:
            guard value.isImage else { return "an image such as registry.example.org/postern:1.0" }
            image = value
        case .redirection:
            guard let choice = RedirectionChoice(rawValue: value) else { return "redirect, cni or none" }
            redirection = choice
        case .probes:
            guard value == "rewrite" || value == "keep" else { return "rewrite or keep" }
            rewritesProbes = value == "rewrite"
        case .identity:
            guard let source = IdentitySource(rawValue: value) else {
                let sources = IdentitySource.allCases.map(\.rawValue).joined(separator: ", ")
                return IdentitySource.absence(value).map { "one of \(sources) (\($0))" } ?? "one of \(sources)"
            }
            identity = source
        case .identitySocket:
            guard value.isFilePath else { return "the path of a socket on the node" }
            identitySocket = value
        case .identitySecret:
            guard value.isObjectName else { return "the name of a Secret" }
            identitySecret = value
        case .identitySigner:
            guard value.isSignerName else { return "the name of a signer, such as example.com/spiffe" }
            identitySigner = value
        case .identityKeyType:
            guard let type = PodKeyType(rawValue: value) else {
                return "one of " + PodKeyType.allCases.map(\.rawValue).joined(separator: ", ")
            }
            identityKeyType = type
        case .identityTrustBundle:
            guard value.isTrustBundleName else { return "the name of a ClusterTrustBundle" }
            identityTrustBundle = value
        case .drainDelay:
            guard value.isDuration else { return Self.durations }
            drainDelay = value
        case .drainTimeout:
            guard value.isDuration else { return Self.durations }
            drainTimeout = value
        case .skipInboundPorts:
            guard value.isPortList else { return Self.ports }
            skippedInboundPorts = value
        case .skipOutboundPorts:
            guard value.isPortList else { return Self.ports }
            skippedOutboundPorts = value
        case .skipOutboundAddresses:
            guard value.isAddressList else { return "address blocks such as 10.0.0.0/8,fd00::/8" }
            skippedOutboundAddresses = value
        case .seccompProfile:
            guard value.isProfilePath else {
                return "the path of a profile below the kubelet's folder `seccomp`, such as profiles/postern.json"
            }
            seccompProfile = value
        case .cpuRequest:
            guard let quantity = Quantity(cpu: value) else { return Self.processors }
            resources.cpuRequest = quantity
        case .cpuLimit:
            guard let quantity = Quantity(cpu: value) else { return Self.processors }
            resources.cpuLimit = quantity
        case .memoryRequest:
            guard let quantity = Quantity(memory: value) else { return Self.memory }
            resources.memoryRequest = quantity
        case .memoryLimit:
            guard let quantity = Quantity(memory: value) else { return Self.memory }
            resources.memoryLimit = quantity
        }
        return nil
    }

    private static let ports = "ports such as 22,9100-9199"
    private static let durations = "a duration such as 5s, at most 1h"
    private static let processors = "processors such as 500m or 2"
    private static let memory = "memory such as 64Mi or 1Gi"

    private static func suggestion(for key: String) -> String {
        // Without the prefix, which would make all names similar.
        let name = String(key.dropFirst(PodAnnotation.prefix.count))
        return nearestName(to: name, among: PodAnnotation.allCases.map(\.rawValue)).map {
            "; did you mean \(quoted(PodAnnotation.prefix + $0))?"
        }
            ?? "; there are " + PodAnnotation.allCases.map(\.name).joined(separator: ", ")
    }
}

extension String {
    /// A DNS subdomain (RFC 1123), as the names of most objects are.
    var isObjectName: Bool {
        let labels = split(separator: ".", omittingEmptySubsequences: false)
        return utf8.count <= 253
            && labels.allSatisfy { label in
                label.utf8.first?.isLowerOrDigit == true && label.utf8.last?.isLowerOrDigit == true
                    && label.utf8.allSatisfy { $0.isLowerOrDigit || $0 == .dash }
            }
    }

    /// A domain and, behind a slash, a name (the API reference of CertificateSigningRequest, `signerName`).
    fileprivate var isSignerName: Bool {
        let parts = split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2 && parts[0].contains(".") && parts.allSatisfy(\.isObjectName)
    }

    /// `mesh-roots`, or `example.com:spiffe:roots` for one that is linked to a signer (the API reference of
    /// ClusterTrustBundle): the signer's slash is a colon, and so is what divides it from the rest.
    fileprivate var isTrustBundleName: Bool {
        let parts = split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return utf8.count <= 253 && (parts.count == 1 || parts.count == 3) && parts.allSatisfy(\.isObjectName)
    }

    /// A name, with a tag or not, and `@` with a digest or not (OCI image specification, "Digests").
    var isImage: Bool {
        let parts = split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, utf8.count <= 512, name.utf8.first.map({ $0.isLetter || $0.isDigit }) == true,
            name.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "-_./:".utf8.contains($0) })
        else { return false }
        return parts.count == 1 || parts[1].isDigest
    }

    /// An absolute path to a file in a folder, of letters that need no quotes.
    fileprivate var isFilePath: Bool {
        let names = dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return hasPrefix("/") && utf8.count <= 255 && names.count > 1
            && names.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_./".utf8.contains($0) }
    }

    /// As Kubernetes takes it: a path that descends.
    fileprivate var isProfilePath: Bool { ("/profiles/" + self).isFilePath }

    fileprivate var isDuration: Bool { durationMilliseconds != nil }

    /// Of a duration of at most an hour.
    var durationMilliseconds: Int? {
        let units = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000]
        let digits = prefix { $0.isASCII && $0.isNumber }
        guard digits.count <= 7, let number = Int(digits), let unit = units[String(dropFirst(digits.count))] else {
            return nil
        }
        return number * unit <= 3_600_000 ? number * unit : nil
    }

    fileprivate var isPortList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
            (try? PortRange(parsing: String($0))) != nil
        }
    }

    fileprivate var isAddressList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy { (try? CIDR(parsing: String($0))) != nil }
    }
}

extension UInt8 {
    fileprivate var isLowerOrDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}

extension Substring {
    fileprivate var isDigest: Bool {
        ["sha256:": 64, "sha512:": 128].contains { algorithm, digits in
            hasPrefix(algorithm) && utf8.count == algorithm.utf8.count + digits
                && dropFirst(algorithm.count).utf8.allSatisfy { $0.isDigit || (0x61...0x66).contains($0) }
        }
    }
}
