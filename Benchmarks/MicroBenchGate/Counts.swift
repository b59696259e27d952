/// What one operation of a case takes; the same in every run, as far as the case allows.
public struct Counts: Hashable, Sendable {
    /// Of the process, without glibc's: its copies and its heap depend on the processor and on chance. Nil where
    /// callgrind cannot run the case.
    public var instructions: Int?
    /// Those of the proxy's own code, without OpenSSL's too.
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
    /// The version of OpenSSL: counts that include it are compared only where it is the same.
    public var openSSL: String
    /// The compiler's version, told where a comparison fails.
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

    /// As tenths: 15 is 1.5.
    public var tenths: String { "\((self / 10).grouped).\(magnitude % 10)" }
}
