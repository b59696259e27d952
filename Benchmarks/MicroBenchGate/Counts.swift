/// What one operation of a case takes; the same in every run, as far as the case allows.
public struct Counts: Hashable, Sendable {
    /// All that the processor executes outside the kernel; nil where callgrind cannot run the case.
    public var instructions: Int?
    /// Those of the proxy's own code: outside OpenSSL, glibc and what else is a shared library.
    public var ownInstructions: Int?
    /// Blocks asked of the heap, in tenths; nil where the case cannot run here.
    public var allocationTenths: Int?

    public init(instructions: Int?, ownInstructions: Int?, allocationTenths: Int?) {
        self.instructions = instructions
        self.ownInstructions = ownInstructions
        self.allocationTenths = allocationTenths
    }
}

/// What the counts of a run depend on beside our own code.
public struct Origin: Hashable, Sendable {
    /// "x86_64"; instructions of different architectures are not compared.
    public var architecture: String
    /// Versions of OpenSSL and glibc: counts that include them are compared only where these are the same.
    public var libraries: String
    /// The compiler's version, told where a comparison fails.
    public var compiler: String

    public init(architecture: String, libraries: String, compiler: String) {
        self.architecture = architecture
        self.libraries = libraries
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

    /// As tenths: 15 is 1.5.
    public var tenths: String { "\((self / 10).grouped).\(magnitude % 10)" }
}
