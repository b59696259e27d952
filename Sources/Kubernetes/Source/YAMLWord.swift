/// Words that are no text in YAML 1.1, by which Kubernetes and its tools read manifests.
enum YAMLWord {
    /// Of a boolean or null, in lower case ([YAML 1.1, "Boolean"](https://yaml.org/type/bool.html)).
    static let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"]

    /// Whether a plain word is, or may be for some reader, a boolean, null or a number
    /// ([YAML 1.1, "Integer"](https://yaml.org/type/int.html), ["Float"](https://yaml.org/type/float.html)): `0x1f`,
    /// `010`, `1_000`, `1e3`, `.inf`.
    static func mayBeOtherThanText(_ word: String) -> Bool {
        let word = word.lowercased()
        guard !words.contains(word) else { return true }
        var digits = Array(word.utf8.filter { $0 != UInt8(ascii: "_") })[...]
        if let sign = digits.first, "+-".utf8.contains(sign) { digits = digits.dropFirst() }
        if digits.elementsEqual(".inf".utf8) || digits.elementsEqual(".nan".utf8) { return true }
        if digits.starts(with: "0x".utf8) {
            return digits.dropFirst(2).allSatisfy { $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
        }
        if digits.starts(with: "0b".utf8) || digits.starts(with: "0o".utf8) {
            return digits.dropFirst(2).allSatisfy(\.isDigit)
        }
        guard digits.contains(where: \.isDigit) else { return false }
        let mantissa = digits.prefix { $0 != UInt8(ascii: "e") }
        let exponent = digits.dropFirst(mantissa.count + 1)
        return mantissa.allSatisfy { $0.isDigit || ".:".utf8.contains($0) }
            && exponent.allSatisfy { $0.isDigit || "+-".utf8.contains($0) }
    }
}
