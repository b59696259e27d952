/// CPU time and memory of the proxy.
struct ResourceChoices {
    var cpuRequest: Quantity?
    var cpuLimit: Quantity?
    var memoryRequest: Quantity?
    var memoryLimit: Quantity?

    /// Kubernetes refuses a request above its limit; the defaults give way to what is chosen.
    var requests: (cpu: Quantity, memory: Quantity) {
        (
            cpuRequest ?? min(.defaultCPURequest, cpuLimit ?? .defaultCPURequest),
            memoryRequest ?? min(.defaultMemoryRequest, memoryLimit ?? .defaultMemoryRequest)
        )
    }

    /// By default none for CPU time.
    var limits: (cpu: Quantity?, memory: Quantity) {
        (cpuLimit, memoryLimit ?? max(.defaultMemoryLimit, memoryRequest ?? .defaultMemoryLimit))
    }

    /// The annotations whose values contradict each other.
    var contradiction: (request: PodAnnotation, limit: PodAnnotation)? {
        if let cpuRequest, let cpuLimit, cpuRequest > cpuLimit { return (.cpuRequest, .cpuLimit) }
        if let memoryRequest, let memoryLimit, memoryRequest > memoryLimit { return (.memoryRequest, .memoryLimit) }
        return nil
    }
}

/// A whole number above 0 with a unit, as Kubernetes writes it.
struct Quantity: Comparable {
    let text: String
    private let thousandths: Int

    init?(cpu text: String) { self.init(text, units: ["": 1_000, "m": 1]) }

    init?(memory text: String) {
        self.init(
            text,
            units: [
                "": 1_000, "k": 1_000_000, "M": 1_000_000_000, "G": 1_000_000_000_000, "Ki": 1_000 << 10,
                "Mi": 1_000 << 20, "Gi": 1_000 << 30,
            ])
    }

    private init?(_ text: String, units: [String: Int]) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard digits.first != "0", let number = Int(digits),
            let unit = units[String(text.dropFirst(digits.count))]
        else { return nil }
        let (thousandths, isTooLarge) = number.multipliedReportingOverflow(by: unit)
        guard !isTooLarge else { return nil }
        (self.text, self.thousandths) = (text, thousandths)
    }

    private init(_ text: String, thousandths: Int) { (self.text, self.thousandths) = (text, thousandths) }

    static let defaultCPURequest = Quantity("50m", thousandths: 50)
    static let defaultMemoryRequest = Quantity("64Mi", thousandths: 64_000 << 20)
    static let defaultMemoryLimit = Quantity("256Mi", thousandths: 256_000 << 20)

    static func < (one: Quantity, other: Quantity) -> Bool { one.thousandths < other.thousandths }
    static func == (one: Quantity, other: Quantity) -> Bool { one.thousandths == other.thousandths }
}
