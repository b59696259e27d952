import MicroBenchGate
import Testing

@Suite("The gate on counts")
struct ComparisonTests {
    private static let origin = Origin(architecture: "x86_64", openSSL: "OpenSSL 1", compiler: "Swift 1")
    private static let recorded = Counts(instructions: 1_000, ownInstructions: 100, allocationTenths: 20)

    private static func compare(
        _ counts: Counts, from origin: Origin = origin, usesOpenSSL: Bool = true, name: String = "a",
        isWhole: Bool = true
    ) -> Comparison {
        Comparison(
            [Comparison.Measured(name: name, counts: counts, usesOpenSSL: usesOpenSSL)], from: origin,
            to: Thresholds(origin: Self.origin, cases: [("a", recorded)]), isWhole: isWhole)
    }

    @Test(
        "fails on 4 % more instructions and not on 2 %, and notes what got 4 % better",
        arguments: [
            (1_040, 1, 0), (1_031, 1, 0), (1_030, 0, 0), (1_020, 0, 0), (1_000, 0, 0), (970, 0, 0), (960, 0, 1),
        ])
    func instructions(measured: Int, regressions: Int, notes: Int) {
        let comparison = Self.compare(Counts(instructions: measured, ownInstructions: 100, allocationTenths: 20))
        #expect(comparison.regressions.count == regressions)
        #expect(comparison.notes.count == notes)
    }

    @Test("fails on more instructions of our own, though the sum stays the same")
    func ownInstructions() {
        let comparison = Self.compare(Counts(instructions: 1_000, ownInstructions: 104, allocationTenths: 20))
        #expect(
            comparison.regressions == [
                "a: own instructions: recorded 100, measured 104, +4.0 %, limit +3 %; "
                    + "if intended: scripts/microbench --renew"
            ])
    }

    @Test("fails on any allocation more, and notes one less", arguments: [(21, 1, 0), (20, 0, 0), (19, 0, 1)])
    func allocations(tenths: Int, regressions: Int, notes: Int) {
        let comparison = Self.compare(Counts(instructions: 1_000, ownInstructions: 100, allocationTenths: tenths))
        #expect(comparison.regressions.count == regressions)
        #expect(comparison.notes.count == notes)
    }

    @Test(
        "allows the hundreds of a handshake to vary by less than half a block",
        arguments: [(10_004, 0), (10_005, 1), (9_996, 0)])
    func handshakeAllocations(tenths: Int, regressions: Int) {
        let counts = { Counts(instructions: 1, ownInstructions: 1, allocationTenths: $0) }
        let comparison = Comparison(
            [Comparison.Measured(name: "a", counts: counts(tenths), usesOpenSSL: true)], from: Self.origin,
            to: Thresholds(origin: Self.origin, cases: [("a", counts(10_000))]))
        #expect(comparison.regressions.count == regressions)
        #expect(comparison.notes.isEmpty)
    }

    @Test("with another OpenSSL compares what is our own, and says so")
    func otherOpenSSL() {
        var origin = Self.origin
        origin.openSSL = "OpenSSL 9"
        let foreign = Counts(instructions: 2_000, ownInstructions: 100, allocationTenths: 30)
        let comparison = Self.compare(foreign, from: origin)
        #expect(comparison.regressions.isEmpty)
        #expect(comparison.notes.count == 1 && comparison.notes[0].contains("OpenSSL 9"))
        #expect(Self.compare(foreign, from: origin, usesOpenSSL: false).regressions.count == 2)
        let own = Counts(instructions: 1_000, ownInstructions: 200, allocationTenths: 20)
        #expect(Self.compare(own, from: origin).regressions.count == 1)
    }

    @Test("on another architecture compares allocations alone")
    func otherArchitecture() {
        var origin = Self.origin
        origin.architecture = "aarch64"
        let counts = Counts(instructions: 2_000, ownInstructions: 200, allocationTenths: 21)
        #expect(Self.compare(counts, from: origin).regressions.count == 1)
    }

    @Test("fails on a case that is not recorded, and on a recorded one that was not measured")
    func cases() {
        #expect(Self.compare(Self.recorded, name: "b").regressions.count == 2)
        #expect(Self.compare(Self.recorded, name: "b", isWhole: false).regressions.count == 1)
        let uncounted = Counts(instructions: nil, ownInstructions: nil, allocationTenths: nil)
        #expect(Self.compare(uncounted).regressions.count == 2)
        #expect(Self.compare(uncounted).notes.count == 1)
    }
}
