import Settings

/// A Server (["Server"](https://linkerd.io/2/reference/authorization-policy/#server)).
extension PolicyObject {
    /// Kubernetes drops the keys that a version does not have.
    var serverKeys: [String] {
        let keys = ["podSelector", "port", "proxyProtocol"]
        switch version {
        case "v1beta1": return keys
        case "v1beta2": return keys + ["externalWorkloadSelector"]
        default: return keys + ["externalWorkloadSelector", "accessPolicy"]
        }
    }

    /// Whether it selects the port of the workload.
    func selects(_ target: ImportTarget) throws(SettingsFlaw) -> Bool {
        guard let spec = try spec(keys: serverKeys) else {
            throw flaw("the Server has no `spec`")
        }
        guard let selector = spec["podSelector"] else {
            guard spec["externalWorkloadSelector"] != nil else { throw flaw("the Server has no `podSelector`") }
            return false
        }
        guard spec["externalWorkloadSelector"] == nil else {
            throw flaw("a Server has either `podSelector` or `externalWorkloadSelector`")
        }
        let labels = LabelSelector(labels: target.labels, file: file)
        let selection = try labels.selection(selector, "`podSelector`", hasExpressions: true)
        guard selection != .doesNotMatch else { return false }
        let port = try spec.required("port", of: "the Server")
        // By a tag a number is text, which is no number for Linkerd.
        guard port.resolved.tag == nil else { throw flaw("the port has a tag: write it without", at: port) }
        let text = try port.text("`port`", in: file)
        let isPlain = port.resolved.isPlain
        if let number = UInt16(text), String(number) == text {
            // Linkerd takes it for a name, which no port can have.
            guard isPlain else { throw flaw("the port is in quotes: write the number without", at: port) }
            guard number == target.port else { return false }
        } else {
            guard Self.isPortName(text, isPlain: isPlain) else {
                throw flaw(
                    "\(quoted(text)) may be a number or a name: write a port as a decimal number, or as a name such as "
                        + "http", at: port)
            }
            guard let name = target.portName else {
                throw flaw(
                    "the Server is for the port named \(quoted(text)): say with `--port-name` what the pod calls the "
                        + "port \(target.port.map(String.init) ?? "")", at: port)
            }
            guard name == text else { return false }
        }
        return try isSelected(selection, by: selector)
    }

    /// Whether it is a port's name and no number, also not one of YAML 1.1, which Kubernetes reads: `0x1f90`, `1e3`.
    ///
    /// Names are those of RFC 6335, section 5.1.
    private static func isPortName(_ text: String, isPlain: Bool) -> Bool {
        let (letters, digits) = (UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"))
        let bytes = Array(text.utf8)
        guard (1...15).contains(bytes.count), bytes.contains(where: letters.contains), bytes.first != 0x2D,
            bytes.last != 0x2D, !text.contains("--"),
            bytes.allSatisfy({ letters.contains($0) || digits.contains($0) || $0 == 0x2D })
        else { return false }
        guard isPlain, let first = bytes.first, digits.contains(first) else { return true }
        return first != UInt8(ascii: "0") && bytes.contains { !digits.contains($0) && $0 != UInt8(ascii: "e") }
    }
}
