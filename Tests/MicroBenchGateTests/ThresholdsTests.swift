import MicroBenchGate
import Testing

@Suite("Recorded thresholds")
struct ThresholdsTests {
    @Test("are read as they were written")
    func roundTrip() throws {
        let thresholds = Thresholds(
            origin: Origin(architecture: "x86_64", openSSL: "OpenSSL 3.0.22", compiler: "Swift 6.3.1"),
            cases: [
                ("handshake", Counts(instructions: 12_345_678, ownInstructions: 901, allocationTenths: 10_205)),
                ("wake", Counts(instructions: nil, ownInstructions: nil, allocationTenths: 0)),
            ])
        #expect(try Thresholds(parsing: thresholds.text) == thresholds)
        #expect(thresholds.text.contains("12,345,678") && thresholds.text.contains("1,020.5"))
    }

    @Test(
        "name the line that is not understood",
        arguments: ["case a 1 2", "case a x 2 3.0", "case a 1 2 3", "case a 1 -2 3.0", "case b 1 2 3.45", "speed 1"])
    func flaws(line: String) throws {
        let text = "architecture x86_64\ncase a 1 2 3.0\n\(line)\n"
        let flaw = #expect(throws: ThresholdFlaw.self) { try Thresholds(parsing: text) }
        #expect(flaw == ThresholdFlaw(line: 3, text: line))
    }
}
