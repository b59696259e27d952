/// Samples of Prometheus' text.
enum Metrics {
    /// The sum over all labels that have these pairs; nil if there is no such sample.
    static func sum(of name: String, where pairs: [String: String] = [:], in text: String) -> Int? {
        let values = text.split(separator: "\n").compactMap { line -> Int? in
            guard line.hasPrefix("\(name) ") || line.hasPrefix("\(name){"), let value = line.split(separator: " ").last,
                pairs.allSatisfy({ line.contains("\($0.key)=\"\($0.value)\"") })
            else { return nil }
            return Int(value)
        }
        return values.isEmpty ? nil : values.reduce(0, +)
    }
}
