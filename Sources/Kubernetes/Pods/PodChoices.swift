import Policy
import Settings

/// What the annotations of a pod choose.
struct PodChoices {
    var isDisabled = false
    /// The version that injected the pod.
    var injectedBy: String?
    var settings = "postern-settings"
    var image: String
    var installsRules = true
    var skippedInboundPorts: String?
    var skippedOutboundPorts: String?
    var skippedOutboundAddresses: String?
    var cpuRequest = "50m"
    var cpuLimit: String?
    var memoryRequest = "64Mi"
    var memoryLimit = "256Mi"

    /// Reads the pod's own annotations. Throws the first flaw: an unknown name, or a value that is none.
    init(_ pod: Cursor, image: String) throws(SettingsFlaw) {
        self.image = image
        guard let metadata = try pod.child("metadata") else { return }
        if case .alias = metadata.node.content { try metadata.requireEditable() }
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
            guard let annotation = PodAnnotation(rawValue: String(key.dropFirst(PodAnnotation.prefix.count))) else {
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
    }

    /// Refuses annotations of ours at an object that makes pods, where they would have no effect.
    static func refuseMisplaced(_ workload: Workload) throws(SettingsFlaw) {
        guard workload.kind != "Pod" else { return }
        let annotations = workload.object.node.value("metadata")?.value("annotations")
        for entry in annotations?.entries ?? [] {
            guard let key = entry.key.text, key.hasPrefix(PodAnnotation.prefix) else { continue }
            throw workload.object.flaw(
                "\(quoted(key)) has no effect here: it belongs to the annotations of the pod template", at: entry.key)
        }
    }

    /// Whether clients reach the port without the proxy.
    func skipsInbound(_ port: UInt16) -> Bool {
        guard installsRules else { return true }
        let ranges = skippedInboundPorts?.split(separator: ",").compactMap { try? PortRange(parsing: String($0)) }
        return ranges?.contains { $0.contains(port) } ?? false
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
            guard value == "redirect" || value == "none" else { return "redirect or none" }
            installsRules = value == "redirect"
        case .skipInboundPorts:
            guard value.isPortList else { return Self.ports }
            skippedInboundPorts = value
        case .skipOutboundPorts:
            guard value.isPortList else { return Self.ports }
            skippedOutboundPorts = value
        case .skipOutboundAddresses:
            guard value.isAddressList else { return "address blocks such as 10.0.0.0/8,fd00::/8" }
            skippedOutboundAddresses = value
        case .cpuRequest:
            guard value.isProcessors else { return Self.processors }
            cpuRequest = value
        case .cpuLimit:
            guard value.isProcessors else { return Self.processors }
            cpuLimit = value
        case .memoryRequest:
            guard value.isMemory else { return Self.memory }
            memoryRequest = value
        case .memoryLimit:
            guard value.isMemory else { return Self.memory }
            memoryLimit = value
        }
        return nil
    }

    private static let ports = "ports such as 22,9100-9199"
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

    var isImage: Bool {
        utf8.count <= 512 && utf8.first.map { $0.isLetter || $0.isDigit } == true
            && utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_./:@".utf8.contains($0) }
    }

    fileprivate var isPortList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
            (try? PortRange(parsing: String($0))) != nil
        }
    }

    fileprivate var isAddressList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy { (try? CIDR(parsing: String($0))) != nil }
    }

    fileprivate var isProcessors: Bool { isQuantity(units: ["", "m"]) }

    fileprivate var isMemory: Bool { isQuantity(units: ["", "k", "M", "G", "Ki", "Mi", "Gi"]) }

    /// A whole number above 0 with a unit.
    private func isQuantity(units: [String]) -> Bool {
        let digits = prefix { $0.isASCII && $0.isNumber }
        return (1...12).contains(digits.count) && digits.first != "0"
            && units.contains(String(dropFirst(digits.count)))
    }
}

extension UInt8 {
    fileprivate var isLowerOrDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}
