/// The cost of one operation of a case; reproducible as far as the case allows.
public struct Counts: Hashable, Sendable {
    /// Instructions of the process without glibc, whose copies and heap depend on the processor and on chance. Nil if
    /// callgrind cannot run the case.
    public var instructions: Int?
    /// Instructions without glibc and OpenSSL.
    public var ownInstructions: Int?
    /// Heap allocations, in tenths; nil if the case cannot run here.
    public var allocationTenths: Int?

    public init(instructions: Int?, ownInstructions: Int?, allocationTenths: Int?) {
        self.instructions = instructions
        self.ownInstructions = ownInstructions
        self.allocationTenths = allocationTenths
    }
}

/// What the counts depend on besides our own code.
public struct Origin: Hashable, Sendable {
    /// "x86_64"; instructions of different architectures are not compared.
    public var architecture: String
    /// The version of OpenSSL: counts that include it are compared only for the same version.
    public var openSSL: String
    /// The compiler's version, shown if a comparison fails.
    public var compiler: String

    public init(architecture: String, openSSL: String, compiler: String) {
        self.architecture = architecture
        self.openSSL = openSSL
        self.compiler = compiler
    }
}

extension Int {
    /// With a comma at every third digit: 1,234,567.
    public var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return self < 0 ? "-" + text : text
    }

    /// In tenths: 15 is 1.5.
    public var tenths: String { "\((self / 10).grouped).\(magnitude % 10)" }
}
